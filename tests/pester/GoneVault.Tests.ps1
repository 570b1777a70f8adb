#Requires -Version 7.6
#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '6.0' }

# A vault of SecretManagement that was unregistered, with the stand-in for that module.

BeforeAll {
    . "$PSScriptRoot/Sample.ps1"
    $modulePath = $env:PSModulePath
    $env:PSModulePath = "$root/tests/McpSm.PowerShell.Tests/StandIn$([System.IO.Path]::PathSeparator)$modulePath"
    Import-Module $manifest
    $env:MCPSM_VAULT = $null
}

AfterAll {
    Remove-Module Mcpsm, Microsoft.PowerShell.SecretManagement -ErrorAction Ignore
    Remove-Variable StandInVaults, StandInCalls -Scope Global -ErrorAction Ignore
    $env:PSModulePath = $modulePath
    Stop-Sample
}

Describe 'a vault that was unregistered' {
    BeforeEach {
        $global:StandInCalls = [System.Collections.Generic.List[string]]::new()
        $global:StandInVaults = @{ Store = @{ IsDefault = $true; ModuleName = 'Some.Store'; Secrets = @{}; Mode = '' } }
        Set-McpVault secretmanagement:Store
        Add-McpServer gone $url | Out-Null
        Connect-McpServer gone -CallbackPort 0 6>$null | Out-Null
    }

    AfterEach {
        Get-McpServer | Remove-McpServer -Force -WarningAction SilentlyContinue
        Set-McpVault file -Move 3>$null 6>$null
    }

    It 'does not prevent <Name>' -ForEach @(
        @{ Name = 'removing a server'; Command = { Remove-McpServer gone -Force } }
        @{ Name = 'signing out'; Command = { Disconnect-McpServer gone -Force } }
        @{ Name = 'clearing a token'; Command = { Clear-McpToken gone -Confirm:$false } }
        @{ Name = 'forgetting a registration'; Command = { Remove-McpClientRegistration gone -Confirm:$false } }
        @{ Name = 'moving to another vault'; Command = { Set-McpVault file -Move } }
        @{ Name = 'mcpsm remove'; Command = { mcpsm remove gone --yes } }
        @{ Name = 'mcpsm auth logout'; Command = { mcpsm auth logout gone --force } }
        @{ Name = 'mcpsm vault use --move'; Command = { mcpsm vault use file --move } }
    ) {
        $global:StandInVaults.Clear()
        $Error.Clear()
        $said = & $Command 3>&1 2>&1 6>&1 | Out-String -Width 4000
        $said | Should -Match "secretmanagement:Store"
        $said | Should -Match 'mcpsm(client)?-'
        $Error | Should -BeNullOrEmpty
        if ($Name -notmatch 'registration') { (Get-McpAuthStatus gone -ErrorAction Ignore).State | Should -BeIn $null, 'NotAuthenticated' }
    }

    It 'is a warning of <Name>' -ForEach @(
        @{ Name = 'Remove-McpServer'; Command = 'Remove-McpServer gone -Force' }
        @{ Name = 'Disconnect-McpServer'; Command = 'Disconnect-McpServer gone -Force' }
        @{ Name = 'Clear-McpToken'; Command = 'Clear-McpToken gone' }
        @{ Name = 'Remove-McpClientRegistration'; Command = 'Remove-McpClientRegistration gone' }
        @{ Name = 'Set-McpVault -Move'; Command = 'Set-McpVault file -Move' }
    ) {
        $global:StandInVaults.Clear()
        $shown = Invoke-Expression "$Command -WarningVariable warnings -InformationVariable said" 3>&1
        "$warnings" | Should -Match 'secretmanagement:Store'
        "$warnings" | Should -Match 'mcpsm(client)?-'
        "$said" | Should -Not -Match 'secretmanagement:Store'
        @($shown -match 'secretmanagement:Store') | Should -HaveCount @($warnings -match 'secretmanagement:Store').Count
    }

    It 'is not warned of with -WarningAction or $WarningPreference' {
        $global:StandInVaults.Clear()
        Disconnect-McpServer gone -Force -WarningAction Ignore *>&1 | Should -BeNullOrEmpty
        $WarningPreference = 'SilentlyContinue'
        Remove-McpServer gone -Force *>&1 | Should -BeNullOrEmpty
    }

    It 'is one line of standard error of mcpsm <_>' -ForEach 'remove gone --yes', 'auth logout gone --force', 'remove gone --yes --quiet' {
        $global:StandInVaults.Clear()
        $words = $_ -split ' '
        $lines = mcpsm @words 2>&1 | ForEach-Object { "$_" } | Where-Object { $_ -match "item 'mcpsm-gone'.*secretmanagement:Store" }
        @($lines) | Should -HaveCount 1
        $lines | Should -BeLike 'Warning: *'
    }

    It 'does not bring back what was removed' {
        $kept = $global:StandInVaults.Store
        $global:StandInVaults.Clear()
        Remove-McpServer gone -Force -WarningAction SilentlyContinue
        $global:StandInVaults.Store = $kept
        Add-McpServer gone $url | Out-Null
        { Get-McpToken gone -ErrorAction Stop } | Should -Throw -ErrorId 'AuthenticationRequired*'
        $kept.Secrets.Keys | Should -Not -Contain 'mcpsm-gone'
    }

    It 'that is only locked must be unlocked first' {
        $global:StandInVaults.Store.Mode = 'Locked'
        { Remove-McpServer gone -Force -ErrorAction Stop } | Should -Throw -ErrorId 'VaultLocked*'
        $global:StandInVaults.Store.Mode = ''
        Get-McpServer gone | Should -Not -BeNullOrEmpty
    }
}
