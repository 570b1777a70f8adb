#Requires -Version 7.6
#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '6.0' }

# The warning that Mcpsm sends no credential to a plain http address of another machine.

BeforeAll {
    . "$PSScriptRoot/Sample.ps1"
    Import-Module $manifest
    $notice = "'there' is at a plain http address of another machine. No credential is sent there; use https for that."
}

AfterAll {
    Remove-Module Mcpsm
    Stop-Sample
}

Describe 'a plain http address of another machine' {
    AfterEach { Remove-McpServer there -Force }

    It 'causes one warning in <_>' -ForEach @(
        'Add-McpServer there http://mcp.example/mcp'
        'Add-McpServer there http://192.168.1.20:8080/mcp'
        'Add-McpServer there http://localhost.mcp.example/mcp'
        'Add-McpServer there https://mcp.example/mcp | Out-Null; Set-McpServer there -Url http://mcp.example/mcp'
        'Add-McpServer there http://127.0.0.1:9/mcp | Out-Null; Set-McpServer there -Url http://10.0.0.1/mcp'
        'mcpsm add there --type http --url http://mcp.example/mcp'
        'mcpsm add there --type http --url https://mcp.example/mcp; mcpsm server update there --url http://mcp.example/other'
    ) {
        $said = & ([scriptblock]::Create($_)) *>&1 | ForEach-Object { "$_".Trim() }
        # A line of standard error has a prefix; the warning stream adds one only when a host shows it.
        @($said -replace '^Warning: ' -eq $notice) | Should -HaveCount 1 -Because "$said"
        @($said -match 'plain http') | Should -HaveCount 1 -Because "$said"
        (Get-McpServer there).Url | Should -BeLike 'http://*'
    }

    It 'is a warning of <_>' -ForEach @(
        'Add-McpServer there http://mcp.example/mcp'
        'Add-McpServer there https://mcp.example/mcp | Out-Null; Set-McpServer there -Url http://mcp.example/mcp'
    ) {
        Invoke-Expression "$_ -WarningVariable warnings -InformationVariable said -WarningAction SilentlyContinue" | Out-Null
        $warnings.Message | Should -Contain $notice
        $said | Should -BeNullOrEmpty
    }

    It 'is a warning on standard error of mcpsm' {
        mcpsm add there --type http --url http://mcp.example/mcp 2>&1 | ForEach-Object { "$_" } | Should -Contain "Warning: $notice"
    }

    It 'causes no warning in <_>' -ForEach @(
        'Add-McpServer there https://mcp.example/mcp'
        'Add-McpServer there http://127.0.0.1:9/mcp'
        'Add-McpServer there http://localhost:9/mcp'
        'Add-McpServer there http://[::1]:9/mcp'
        'Add-McpServer there http://mcp.example/mcp *>$null; Set-McpServer there -Scope a'
        'Add-McpServer there http://mcp.example/mcp *>$null; Set-McpServer there -Url https://mcp.example/mcp -WarningAction Ignore'
    ) {
        $said = & ([scriptblock]::Create($_)) *>&1 | Out-String -Width 400
        $said | Should -Not -Match 'plain http|No credential'
        Get-McpServer there | Should -Not -BeNullOrEmpty
    }

    It 'receives no credential, and the error names the server' {
        Add-McpServer there http://mcp.example/mcp *>$null
        $failure = { Connect-McpServer there -NoBrowser -ErrorAction Stop } | Should -Throw -ErrorId 'UnsafeEndpoint*' -PassThru
        $failure.TargetObject | Should -Be 'there'
    }
}
