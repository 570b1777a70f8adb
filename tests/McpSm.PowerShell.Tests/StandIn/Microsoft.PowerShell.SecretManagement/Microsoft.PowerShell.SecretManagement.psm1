# A stand-in for the module of this name, with its documented commands, parameters and error ids. Its vaults are set
# by tests in $global:StandInVaults: name = @{ IsDefault; ModuleName; Secrets; Mode }, Mode one of '', Locked, Broken, Forgetful,
# SingleRunspace.
# Every call is counted in $global:StandInCalls.

class PasswordRequiredException : System.InvalidOperationException {
    PasswordRequiredException() : base('The vault is locked.') { }
}

function Count([string] $Command) { [void]$global:StandInCalls.Add($Command) }

function Problem([string] $Id, [System.Exception] $Exception, [string] $Category = 'ObjectNotFound') {
    [System.Management.Automation.ErrorRecord]::new($Exception, $Id, $Category, $null)
}

function Vault($Cmdlet, [string] $Name) {
    $found = $global:StandInVaults[$Name]
    if (-not $found) {
        $Cmdlet.ThrowTerminatingError((Problem 'GetSecretVaultNotFound' ([System.InvalidOperationException]::new("Vault not found in registry: $Name"))))
    }
    $found
}

function Get-SecretVault {
    [CmdletBinding()]
    param([Parameter(Position = 0)] [string[]] $Name)
    Count 'Get-SecretVault'
    foreach ($key in @($global:StandInVaults.Keys)) {
        if (-not $Name -or $Name -contains $key) {
            [pscustomobject]@{ Name = $key; ModuleName = $global:StandInVaults[$key].ModuleName; IsDefault = [bool]$global:StandInVaults[$key].IsDefault }
        }
    }
    foreach ($one in $Name) {
        if (-not $global:StandInVaults.ContainsKey($one)) {
            $missing = [System.Management.Automation.ItemNotFoundException]::new("Vault $one does not exist in registry.")
            $PSCmdlet.WriteError((Problem 'GetSecretVaultNotFound' $missing))
        }
    }
}

function Get-Secret {
    [CmdletBinding()]
    param([Parameter(Position = 0, Mandatory)] [string] $Name, [Parameter(Position = 1)] [string] $Vault, [switch] $AsPlainText)
    Count 'Get-Secret'
    $found = Vault $PSCmdlet $Vault
    if ($found.Mode -eq 'Locked') {
        $PSCmdlet.WriteError((Problem 'GetSecretException' ([PasswordRequiredException]::new()) 'InvalidOperation'))
        return
    }
    $alone = $found.Mode -ne 'SingleRunspace' -or [McpSm.PowerShell.Tests.SecretManagement.SingleRunspace]::Enter()
    if ($found.Mode -eq 'SingleRunspace') { [McpSm.PowerShell.Tests.SecretManagement.SingleRunspace]::Leave() }
    if ($found.Mode -eq 'Broken' -or -not $alone) {
        $PSCmdlet.WriteError((Problem 'GetSecretInvalidOperation' ([System.InvalidOperationException]::new("Unable to get secret $Name")) 'InvalidOperation'))
    }
    elseif ($found.Secrets.ContainsKey($Name)) {
        $text = $found.Secrets[$Name]
        if ($AsPlainText -and -not $found.AlwaysSecure) { return $text }
        return [System.Net.NetworkCredential]::new('', $text).SecurePassword
    }
    $PSCmdlet.WriteError((Problem 'GetSecretNotFound' ([System.Management.Automation.ItemNotFoundException]::new("The secret $Name was not found."))))
}

function Set-Secret {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Position = 0, Mandatory)] [string] $Name, [Parameter(Position = 1, Mandatory)] [object] $Secret, [Parameter(Position = 2)] [string] $Vault)
    Count 'Set-Secret'
    $found = Vault $PSCmdlet $Vault
    if ($found.Mode -eq 'Locked') { throw [PasswordRequiredException]::new() }
    if ($found.Mode -eq 'Broken') {
        $failure = [System.InvalidOperationException]::new("Unable to add secret $Name with $Secret")
        $PSCmdlet.WriteError((Problem 'SetSecretInvalidOperation' $failure 'InvalidOperation'))
        return
    }
    if ($found.Mode -ne 'Forgetful') { $found.Secrets[$Name] = $Secret }
}

function Remove-Secret {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Position = 0, Mandatory)] [string] $Name, [Parameter(Position = 1, Mandatory)] [string] $Vault)
    Count 'Remove-Secret'
    (Vault $PSCmdlet $Vault).Secrets.Remove($Name)
}

function Get-SecretInfo {
    [CmdletBinding()]
    param([Parameter(Position = 0)] [string] $Name = '*', [Parameter(Position = 1)] [string] $Vault)
    Count 'Get-SecretInfo'
    foreach ($key in @((Vault $PSCmdlet $Vault).Secrets.Keys)) {
        if ($key -like $Name) { [pscustomobject]@{ Name = $key; VaultName = $Vault; Type = 'String' } }
    }
}

Export-ModuleMember -Function Get-SecretVault, Get-Secret, Set-Secret, Remove-Secret, Get-SecretInfo
