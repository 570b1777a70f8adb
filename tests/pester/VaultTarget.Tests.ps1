#Requires -Version 7.6
#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '6.0' }

# The target object of a vault error, with the stand-in for SecretManagement.

BeforeAll {
    . "$PSScriptRoot/Sample.ps1"
    $modulePath = $env:PSModulePath
    $env:PSModulePath = "$root/tests/McpSm.PowerShell.Tests/StandIn$([System.IO.Path]::PathSeparator)$modulePath"
    Import-Module $manifest
    $env:MCPSM_VAULT = $null
    Add-McpServer kept $url | Out-Null
}

AfterAll {
    Remove-Module Mcpsm, Microsoft.PowerShell.SecretManagement -ErrorAction Ignore
    Remove-Variable StandInVaults, StandInCalls -Scope Global -ErrorAction Ignore
    $env:PSModulePath = $modulePath
    Stop-Sample
}

Describe 'an error of a SecretManagement vault' {
    BeforeEach {
        $global:StandInCalls = [System.Collections.Generic.List[string]]::new()
        $global:StandInVaults = @{ Store = @{ IsDefault = $true; ModuleName = 'Some.Store'; Secrets = @{}; Mode = '' } }
    }

    It 'has the vault as its target if it concerns no server: <Name>' -ForEach @(
        @{ Name = 'one that is not registered'; Mode = ''; Vault = 'secretmanagement:Nosuch'; Id = 'VaultUnavailable' }
        @{ Name = 'one that is locked'; Mode = 'Locked'; Vault = 'secretmanagement:Store'; Id = 'VaultLocked' }
        @{ Name = 'one that fails'; Mode = 'Broken'; Vault = 'secretmanagement:Store'; Id = 'VaultUnavailable' }
        @{ Name = 'one that forgets'; Mode = 'Forgetful'; Vault = 'secretmanagement:Store'; Id = 'VaultUnavailable' }
    ) {
        $global:StandInVaults.Store.Mode = $Mode
        $failure = { Set-McpVault $Vault -ErrorAction Stop } | Should -Throw -ErrorId "$Id*" -PassThru
        $failure.TargetObject | Should -Be $Vault
        $failure.Exception.Message | Should -Match ($Vault -replace '^.*:')
    }

    It 'has the server as its target if it concerns one server, and names the vault: <Mode>' -ForEach @(
        @{ Mode = 'Locked'; Id = 'VaultLocked' }, @{ Mode = 'Broken'; Id = 'VaultUnavailable' }, @{ Mode = 'Forgetful'; Id = 'VaultUnavailable' }
    ) {
        $global:StandInVaults.Store.Mode = $Mode
        $failure = { Set-McpToken kept (ConvertTo-SecureString t0ken -AsPlainText) -Vault secretmanagement:Store -ErrorAction Stop } |
            Should -Throw -ErrorId "$Id*" -PassThru
        $failure.TargetObject | Should -Be 'kept'
        $failure.Exception.Message | Should -Match 'Store'
        "$failure$($failure.ErrorDetails.RecommendedAction)" | Should -Not -Match 't0ken'
    }
}
