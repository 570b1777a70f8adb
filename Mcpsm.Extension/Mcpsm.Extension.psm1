# Mcpsm as an extension vault of SecretManagement: secrets of other tools, and the tokens of servers by their names.
# Each session parses this, and a type that is named here is then looked for in all assemblies, 5 ms each: only those with short names are.

$loaded = $false

function Invoke-Served([string] $Command, [hashtable] $Parameters) {
    # Not before it is needed: whoever imports Mcpsm for its cmdlets does not wait for this. And by itself, since
    # SecretManagement loads this module apart from Mcpsm when a vault is registered.
    if (-not $script:loaded) {
        Import-Module "$PSScriptRoot/../Mcpsm.Once.psm1", "$PSScriptRoot/../McpSm.Loader.dll", "$PSScriptRoot/../McpSm.PowerShell.dll"
        $script:loaded = $true
    }
    # SecretManagement's own -Verbose comes among these.
    if ($Parameters.AdditionalParameters.Verbose) { $VerbosePreference = 'Continue' }
    # A locked vault ends SecretManagement's whole script, as it expects, not one statement of it.
    try { & $Command @Parameters } catch { throw }
}

function Get-Secret {
    [CmdletBinding()]
    param([string] $Name, [string] $VaultName, [hashtable] $AdditionalParameters)
    Invoke-Served Get-ServedSecret $PSBoundParameters
}

function Set-Secret {
    [CmdletBinding()]
    param([string] $Name, $Secret, [string] $VaultName, [hashtable] $AdditionalParameters, [hashtable] $Metadata)
    Invoke-Served Set-ServedSecret $PSBoundParameters
}

function Remove-Secret {
    [CmdletBinding()]
    param([string] $Name, [string] $VaultName, [hashtable] $AdditionalParameters)
    Invoke-Served Remove-ServedSecret $PSBoundParameters
}

function Get-SecretInfo {
    [CmdletBinding()]
    param([string] $Filter, [string] $VaultName, [hashtable] $AdditionalParameters)
    $result = [type]'Microsoft.PowerShell.SecretManagement.SecretInformation'
    foreach ($info in Invoke-Served Get-ServedSecretInfo $PSBoundParameters) {
        $result::new($info.Name, "$($info.Kind)", $VaultName, [hashtable]$info.Metadata)
    }
}

function Set-SecretInfo {
    [CmdletBinding()]
    param([string] $Name, [hashtable] $Metadata, [string] $VaultName, [hashtable] $AdditionalParameters)
    Invoke-Served Set-ServedSecretInfo $PSBoundParameters
}

function Test-SecretVault {
    [CmdletBinding()]
    param([string] $VaultName, [hashtable] $AdditionalParameters)
    Invoke-Served Test-ServedVault $PSBoundParameters
}

function Unlock-SecretVault {
    [CmdletBinding()]
    param([securestring] $Password, [string] $VaultName, [hashtable] $AdditionalParameters)
    Invoke-Served Unlock-ServedVault $PSBoundParameters
}
