@{
    RootModule           = 'Mcpsm.psm1'
    # Mcpsm.BuildCheck.psm1 checks that the session has not loaded another build. McpSm.Loader.dll must come before the cmdlets: it finds their
    # dependencies. The extension vault is listed as a script, because reading its manifest costs every session 15 ms.
    NestedModules        = @('Mcpsm.BuildCheck.psm1', 'McpSm.Loader.dll', 'McpSm.PowerShell.dll', 'Mcpsm.Extension/Mcpsm.Extension.psm1')
    # The build replaces ModuleVersion and Prerelease with the values in Directory.Build.props.
    ModuleVersion        = '0.0.0'
    GUID                 = 'b6a5d9a2-3f0e-4a53-9d1c-6f6c0a4b7e21'
    Author               = 'The Mcpsm authors'
    CompanyName          = 'The Mcpsm authors'
    Copyright            = '(c) The Mcpsm authors. MIT licence.'
    Description          = 'Signs you in to remote MCP servers (Model Context Protocol), stores their credentials in a vault, and gives any client a token.'
    PowerShellVersion    = '7.6'
    CompatiblePSEditions = @('Core')
    FormatsToProcess     = @('Mcpsm.format.ps1xml')
    CmdletsToExport      = @(
        'Add-McpServer', 'Get-McpServer', 'Set-McpServer', 'Remove-McpServer'
        'Connect-McpServer', 'Disconnect-McpServer', 'Test-McpServer'
        'Get-McpAuthStatus', 'Get-McpToken', 'Set-McpToken', 'Update-McpToken', 'Clear-McpToken', 'Deny-McpToken'
        'Remove-McpClientRegistration'
        'Get-McpVault', 'Set-McpVault', 'Import-McpCredential', 'Get-McpSetting', 'Set-McpSetting'
        'Get-McpIdentityProvider', 'Set-McpIdentityProvider', 'Remove-McpIdentityProvider', 'Connect-McpIdentityProvider', 'Disconnect-McpIdentityProvider'
    )
    FunctionsToExport    = @('Invoke-Mcpsm')
    AliasesToExport      = @('mcpsm')
    VariablesToExport    = @()
    PrivateData          = @{
        PSData = @{
            Tags       = @(
                'MCP', 'ModelContextProtocol', 'OAuth', 'Authentication', 'Token', 'Vault', 'SecretManagement'
                'PSEdition_Core', 'Windows', 'Linux', 'MacOS'
            )
            LicenseUri = 'https://opensource.org/license/mit'
            Prerelease = ''
        }
    }
}
