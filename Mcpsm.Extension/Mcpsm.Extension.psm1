# Mcpsm as an extension vault of SecretManagement: it stores secrets of other tools, and returns the tokens of servers by their names.
# Every session parses this file. PowerShell looks up a full type name in all assemblies (5 ms each), so use type accelerators here.

$loaded = $false

function Invoke-McpsmVault([string] $Command, [hashtable] $Parameters) {
    # Load the cmdlets on first use, so that Import-Module Mcpsm does not wait for them. Do it here, because SecretManagement loads this
    # module without Mcpsm when a vault is registered.
    if (-not $script:loaded) {
        Import-Module "$PSScriptRoot/../Mcpsm.BuildCheck.psm1", "$PSScriptRoot/../McpSm.Loader.dll", "$PSScriptRoot/../McpSm.PowerShell.dll"
        $script:loaded = $true
    }
    # SecretManagement passes -Verbose here.
    if ($Parameters.AdditionalParameters.Verbose) { $VerbosePreference = 'Continue' }
    # SecretManagement expects that a locked vault ends its whole script, not only one statement.
    try { & $Command @Parameters } catch { throw }
}

function Get-Secret {
    [CmdletBinding()]
    param([string] $Name, [string] $VaultName, [hashtable] $AdditionalParameters)
    Invoke-McpsmVault Get-McpsmVaultSecret $PSBoundParameters
}

function Set-Secret {
    [CmdletBinding()]
    param([string] $Name, $Secret, [string] $VaultName, [hashtable] $AdditionalParameters, [hashtable] $Metadata)
    Invoke-McpsmVault Set-McpsmVaultSecret $PSBoundParameters
}

function Remove-Secret {
    [CmdletBinding()]
    param([string] $Name, [string] $VaultName, [hashtable] $AdditionalParameters)
    Invoke-McpsmVault Remove-McpsmVaultSecret $PSBoundParameters
}

function Get-SecretInfo {
    [CmdletBinding()]
    param([string] $Filter, [string] $VaultName, [hashtable] $AdditionalParameters)
    $result = [type]'Microsoft.PowerShell.SecretManagement.SecretInformation'
    foreach ($info in Invoke-McpsmVault Get-McpsmVaultSecretInfo $PSBoundParameters) {
        $result::new($info.Name, "$($info.Kind)", $VaultName, [hashtable]$info.Metadata)
    }
}

function Set-SecretInfo {
    [CmdletBinding()]
    param([string] $Name, [hashtable] $Metadata, [string] $VaultName, [hashtable] $AdditionalParameters)
    Invoke-McpsmVault Set-McpsmVaultSecretInfo $PSBoundParameters
}

function Test-SecretVault {
    [CmdletBinding()]
    param([string] $VaultName, [hashtable] $AdditionalParameters)
    Invoke-McpsmVault Test-McpsmVault $PSBoundParameters
}

function Unlock-SecretVault {
    [CmdletBinding()]
    param([securestring] $Password, [string] $VaultName, [hashtable] $AdditionalParameters)
    Invoke-McpsmVault Unlock-McpsmVault $PSBoundParameters
}
