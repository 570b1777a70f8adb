#Requires -Version 7.6
#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '6.0' }

# Errors of the server, and the remedies that the user sees.

BeforeAll {
    . "$PSScriptRoot/Sample.ps1"
    Import-Module $manifest
}

AfterAll {
    Remove-Module Mcpsm
    Stop-Sample
}

Describe 'a bearer token that the server refuses' {
    AfterEach { Get-McpServer | Remove-McpServer -Force }

    It 'has the same state in Test-McpServer and Get-McpAuthStatus -Validate, with sign-in <OAuth>' -ForEach @(
        @{ OAuth = 'on' }
        @{ OAuth = 'off' }
        @{ OAuth = 'unset' }
    ) {
        Add-McpServer refused $url -OAuth $OAuth -Token ([System.Net.NetworkCredential]::new('', 'refused').SecurePassword) | Out-Null
        $tested = Test-McpServer refused
        $status = Get-McpAuthStatus refused -Validate
        $tested.StatusCode | Should -Be 401
        $tested.State | Should -Be 'Expired'
        $status.State | Should -Be $tested.State
        $status.Remedy | Should -Be $tested.Remedy
        $status.Remedy | Should -Match 'auth set|Set-McpToken'
    }

    It 'that is missing must be set if sign-in is off' {
        Add-McpServer refused $url -OAuth off | Out-Null
        $tested = Test-McpServer refused
        $status = Get-McpAuthStatus refused -Validate
        $status.State | Should -Be $tested.State
        $tested.State | Should -Be 'NotAuthenticated'
        $status.Remedy | Should -Be $tested.Remedy
        $status.Remedy | Should -Match 'auth set|Set-McpToken'
    }
}
