@{
    RootModule           = 'Mcpsm.psm1'
    # First the check that no other build is loaded. Then the loader: the cmdlets' dependencies are found through it, apart from the
    # session's own assemblies. Last the module as a vault of SecretManagement; its script, and not its manifest beside it: reading
    # that costs each session 15 ms.
    NestedModules        = @('Mcpsm.Once.psm1', 'McpSm.Loader.dll', 'McpSm.PowerShell.dll', 'Mcpsm.Extension/Mcpsm.Extension.psm1')
    # The build writes the version in, and Prerelease below: they stand in Directory.Build.props alone.
    ModuleVersion        = '0.0.0'
    GUID                 = 'b6a5d9a2-3f0e-4a53-9d1c-6f6c0a4b7e21'
    Author               = 'The Mcpsm authors'
    CompanyName          = 'The Mcpsm authors'
    Copyright            = '(c) The Mcpsm authors. MIT licence.'
    Description          = 'Signs you in to remote MCP servers (Model Context Protocol), keeps their credentials in your system''s vault, and gives a valid token to whatever needs one.'
    PowerShellVersion    = '7.6'
    CompatiblePSEditions = @('Core')
    FormatsToProcess     = @('Mcpsm.format.ps1xml')
    CmdletsToExport      = @(
        'Add-McpServer', 'Get-McpServer', 'Set-McpServer', 'Remove-McpServer'
        'Connect-McpServer', 'Disconnect-McpServer', 'Test-McpServer'
        'Get-McpAuthStatus', 'Get-McpToken', 'Set-McpToken', 'Update-McpToken', 'Clear-McpToken', 'Deny-McpToken'
        'Remove-McpClientRegistration'
        'Get-McpVault', 'Set-McpVault', 'Import-McpCredential'
        'Get-McpIdentityProvider', 'Set-McpIdentityProvider', 'Remove-McpIdentityProvider', 'Connect-McpIdentityProvider', 'Disconnect-McpIdentityProvider'
    )
    FunctionsToExport    = @('Invoke-Mcpsm')
    AliasesToExport      = @('mcpsm')
    VariablesToExport    = @()
    PrivateData          = @{
        PSData = @{
            Tags       = @('MCP', 'ModelContextProtocol', 'OAuth', 'Authentication', 'Token', 'Vault', 'SecretManagement', 'PSEdition_Core', 'Windows', 'Linux', 'MacOS')
            LicenseUri = 'https://opensource.org/license/mit'
            Prerelease = ''
        }
    }
}
