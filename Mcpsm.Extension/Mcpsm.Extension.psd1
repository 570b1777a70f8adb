@{
    # Only SecretManagement reads this manifest. The version of Mcpsm is in Mcpsm.psd1.
    RootModule        = 'Mcpsm.Extension.psm1'
    ModuleVersion     = '1.0'
    GUID              = '6d2f7b0e-5a55-4a8f-9b0c-2f0d5e1c7a94'
    Author            = 'The Mcpsm authors'
    CompanyName       = 'The Mcpsm authors'
    Copyright         = '(c) The Mcpsm authors. MIT licence.'
    Description       = 'The functions of Mcpsm as an extension vault of SecretManagement.'
    PowerShellVersion = '7.6'
    FunctionsToExport = @('Get-Secret', 'Set-Secret', 'Remove-Secret', 'Get-SecretInfo', 'Set-SecretInfo', 'Test-SecretVault', 'Unlock-SecretVault')
    CmdletsToExport   = @()
    AliasesToExport   = @()
    VariablesToExport = @()
}
