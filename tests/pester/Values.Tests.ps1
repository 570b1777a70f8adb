#Requires -Version 7.6
#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '6.0' }

# The values that parameters accept, and the output of one command as the input of the next.

BeforeAll {
    . "$PSScriptRoot/Sample.ps1"
    Import-Module $manifest
    function Protect([string] $Text) { [System.Net.NetworkCredential]::new('', $Text).SecurePassword }
    function Get-Catalog {
        $config = Get-Content "$env:MCPSM_CONFIG_DIR/config.json" -Raw | ConvertFrom-Json
        $config.remoteServers | Sort-Object name | ConvertTo-Json -Depth 9
    }
    # A server without authentication; Get-Sent returns the headers that it receives.
    $script:listener = [System.Net.HttpListener]::new()
    $script:echo = "http://127.0.0.1:$(Get-FreePort)/mcp/"
    $script:listener.Prefixes.Add($script:echo)
    $script:listener.Start()
    function Get-Sent([string] $Name) {
        $waiting = $script:listener.GetContextAsync()
        $job = Start-ThreadJob { param($manifest, $name) Import-Module $manifest; Test-McpServer $name } -ArgumentList $manifest, $Name
        $context = $waiting.GetAwaiter().GetResult()
        $headers = @{}
        foreach ($key in $context.Request.Headers.AllKeys) { $headers[$key] = $context.Request.Headers[$key] }
        $context.Response.StatusCode = 404
        $context.Response.Close()
        $null = $job | Wait-Job | Remove-Job -Force
        $headers
    }
}

AfterAll {
    $script:listener.Stop()
    Remove-Module Mcpsm
    Stop-Sample
}

Describe 'a header' {
    AfterEach { Get-McpServer | Remove-McpServer -Force }

    It 'is sent as the text of its value' {
        Add-McpServer hs $echo -Header @{
            'X-Sec' = Protect topsecret; 'X-Wrapped' = [psobject](Protect wrapped); 'X-Number' = 1.5; 'X-True' = $true; 'X-End' = Protect "end`n"
        } | Out-Null
        $sent = Get-Sent hs
        $sent['X-Sec'] | Should -Be 'topsecret'
        $sent['X-Wrapped'] | Should -Be 'wrapped'
        $sent['X-Number'] | Should -Be '1.5'
        $sent['X-True'] | Should -Be 'True'
        $sent['X-End'] | Should -Be 'end'
    }

    It 'whose value is <Name> is refused' -ForEach @(
        @{ Name = 'an array'; Value = 'a', 'b' }
        @{ Name = 'a table'; Value = @{ a = 1 } }
        @{ Name = 'missing'; Value = $null }
        @{ Name = 'a script block'; Value = { 'a' } }
        @{ Name = 'a PSCredential'; Value = [pscredential]::new('a', [System.Net.NetworkCredential]::new('', 'hidden-text').SecurePassword) }
        @{ Name = 'an object'; Value = [pscustomobject]@{ a = 1 } }
        @{ Name = 'several lines'; Value = "a`nb" }
    ) {
        { Add-McpServer hs $echo -Header @{ 'X-A' = $Value } -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidValue*' -ExpectedMessage "*$Name*"
        Get-McpServer | Should -BeNullOrEmpty
        Add-McpServer hs $echo | Out-Null
        { Set-McpServer hs -Header @{ 'X-A' = $Value } -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidValue*' -ExpectedMessage "*$Name*"
    }

    It 'and a parameter of the authorization URL accept the same values' {
        Add-McpServer hs $echo -AuthorizeParameter @{ prompt = Protect consent; max_age = 5 } | Out-Null
        (Get-McpServer hs).AuthorizeParams['prompt'] | Should -Be 'consent'
        (Get-McpServer hs).AuthorizeParams['max_age'] | Should -Be '5'
        { Set-McpServer hs -AuthorizeParameter @{ prompt = 'a', 'b' } -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidValue*'
        { Connect-McpServer hs -AuthorizeParameter @{ prompt = $null } -NonInteractive -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidValue*'
    }
}

Describe 'a token' {
    AfterEach { Get-McpServer | Remove-McpServer -Force }

    It 'can end with a line break, in a SecureString and in a variable' {
        Add-McpServer my-api https://a.example/mcp | Out-Null
        foreach ($end in "`n", "`r`n") {
            Set-McpToken my-api (Protect "abc$end")
            Get-McpToken my-api -AsPlainText | Should -Be 'abc'
            $env:VALUES_TEST_TOKEN = "def$end"
            Set-McpToken my-api -FromEnvironment VALUES_TEST_TOKEN
            Get-McpToken my-api -AsPlainText | Should -Be 'def'
        }
        $env:VALUES_TEST_TOKEN = $null
    }

    It '<Text> is refused with the reason' -ForEach @(
        @{ Text = 'Bearer abc'; Message = "*it begins with 'Bearer'*" }
        @{ Text = "abc`ndef"; Message = '*it has several lines*' }
        @{ Text = ' abc'; Message = '*spaces at its beginning or end*' }
    ) {
        Add-McpServer my-api https://a.example/mcp | Out-Null
        { Set-McpToken my-api (Protect $Text) -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidValue*' -ExpectedMessage $Message
        { Add-McpServer other https://b.example/mcp -Token (Protect $Text) -ErrorAction Stop } |
            Should -Throw -ErrorId 'InvalidValue*' -ExpectedMessage $Message
        (Get-McpServer).Name | Should -Be 'my-api'
        (Get-McpAuthStatus my-api).State | Should -Be 'NotAuthenticated'
    }

    It 'can come from the pipeline, but only one' {
        Add-McpServer my-api https://a.example/mcp | Out-Null
        Protect 'piped' | Set-McpToken my-api
        Get-McpToken my-api -AsPlainText | Should -Be 'piped'
        { (Protect one), (Protect two) | Set-McpToken my-api -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidValue*'
        Get-McpToken my-api -AsPlainText | Should -Be 'piped'
        Add-McpServer other https://b.example/mcp | Out-Null
        Get-McpServer | Set-McpToken -Token (Protect both)
        Get-McpToken * -AsPlainText | Should -Be 'both', 'both'
        'other' | Set-McpToken -Token (Protect third)
        Get-McpToken other -AsPlainText | Should -Be 'third'
        Protect 'none' | Set-McpToken my-api -WhatIf
        Get-McpToken my-api -AsPlainText | Should -Be 'both'
    }

    It 'is a single line for mcpsm' {
        Add-McpServer my-api https://a.example/mcp | Out-Null
        'abc', 'def' | mcpsm auth set my-api - *> $null
        $LASTEXITCODE | Should -Be 2
        (Get-McpAuthStatus my-api).State | Should -Be 'NotAuthenticated'
        "abc`n" | mcpsm auth set my-api - *> $null
        Get-McpToken my-api -AsPlainText | Should -Be 'abc'
    }
}

Describe 'the output of Get-McpServer' {
    AfterEach { Get-McpServer | Remove-McpServer -Force }

    It 'can be added again after <Name>' -ForEach @(
        @{ Name = 'JSON'; Back = { Get-McpServer | ConvertTo-Json | ConvertFrom-Json } }
        @{ Name = 'JSON as an array'; Back = { Get-McpServer | ConvertTo-Json -AsArray | ConvertFrom-Json } }
        @{ Name = 'JSON with names of enumerations'; Back = { Get-McpServer | ConvertTo-Json -EnumsAsStrings | ConvertFrom-Json } }
        @{ Name = 'compressed JSON'; Back = { Get-McpServer | ConvertTo-Json -Compress -Depth 9 | ConvertFrom-Json } }
        @{ Name = 'the JSON of mcpsm list'; Back = { mcpsm list --json | ConvertFrom-Json } }
        @{ Name = 'CSV'; Back = { Get-McpServer | Export-Csv "$TestDrive/a.csv"; Import-Csv "$TestDrive/a.csv" } }
        @{ Name = 'CLIXML'; Back = { Get-McpServer | Export-Clixml "$TestDrive/a.xml"; Import-Clixml "$TestDrive/a.xml" } }
        @{ Name = 'a job'; Back = { Start-Job { Import-Module $using:manifest; Get-McpServer } | Receive-Job -Wait -AutoRemoveJob } }
        @{ Name = 'Select-Object'; Back = { Get-McpServer | Select-Object * } }
    ) {
        Add-McpServer plain https://a.example/mcp | Out-Null
        Add-McpServer 'Full One' https://b.example/sse -Transport sse -OAuth on -ClientId me -Scope a, b -Issuer https://login.example `
            -DPoP always -AllowLegacyEndpoints -RelaySignIn -ClientMetadataUrl https://c.example/client.json `
            -AuthorizeParameter @{ access_type = 'off line&x' } | Out-Null
        Add-McpServer off https://c.example/mcp -OAuth off -DPoP never | Out-Null
        $before = Get-Catalog
        $objects = & $Back
        $objects | Should -HaveCount 3
        Get-McpServer | Remove-McpServer -Force
        $objects | Add-McpServer -ErrorAction Stop | Out-Null
        Get-Catalog | Should -Be $before
        # Applied to the existing servers it changes nothing.
        $objects | Set-McpServer -ErrorAction Stop
        Get-Catalog | Should -Be $before
    }
}

Describe 'a variable' {
    It 'is completed by name in <_>' -ForEach @(
        'Set-McpToken x -FromEnvironment', 'Connect-McpServer x -AssertionVariable', 'mcpsm auth login x --assertion-from-env',
        'mcpsm add x --client-secret-from-env', 'mcpsm identity login --id-token-from-env', 'mcpsm add x --header-from-env X-Key='
    ) {
        $env:VALUES_TEST_TOKEN = 'hidden'
        $line = $_.EndsWith('=') ? "${_}VALUES_TE" : "$_ VALUES_TE"
        $found = (TabExpansion2 $line).CompletionMatches
        $found | Should -HaveCount 1
        $found.CompletionText | Should -BeLike '*VALUES_TEST_TOKEN*'
        $found.ToolTip | Should -Not -Match 'hidden'
        $env:VALUES_TEST_TOKEN = $null
    }
}

Describe 'the time left' {
    AfterEach { Get-McpServer | Remove-McpServer -Force }

    It 'is a TimeSpan' {
        Add-McpServer my-api $url | Out-Null
        $status = Connect-McpServer my-api -CallbackPort 0 6>$null
        $status.ExpiresIn | Should -BeOfType timespan
        $status.ExpiresIn.TotalSeconds | Should -BeGreaterThan 10
        ($status.ExpiresAt - $status.ExpiresIn - [DateTimeOffset]::UtcNow).TotalSeconds | Should -BeLessThan 5
        Set-McpToken my-api (Protect t)
        (Get-McpAuthStatus my-api).ExpiresIn | Should -BeNullOrEmpty
    }
}

Describe 'the secrets of a server' {
    AfterEach { Get-McpServer | Remove-McpServer -Force }

    It 'are named and never shown' {
        $headers = @{ 'X-Key' = Protect hidden-key; 'A-Team' = 'hidden-blue' }
        Add-McpServer my-api https://a.example/mcp -ClientId me -ClientSecret (Protect hidden-secret) -Header $headers | Out-Null
        Add-McpServer plain https://b.example/mcp | Out-Null
        $server = Get-McpServer my-api
        $server.HeaderNames | Should -Be 'A-Team', 'X-Key'
        $server.HasClientSecret | Should -BeTrue
        (Get-McpServer plain).HeaderNames | Should -HaveCount 0
        (Get-McpServer plain).HasClientSecret | Should -BeFalse
        $json = mcpsm list --json | ConvertFrom-Json | Where-Object name -EQ my-api
        $json.headerNames | Should -Be 'A-Team', 'X-Key'
        $json.hasClientSecret | Should -BeTrue
        "$($server | Format-List * | Out-String)$(mcpsm list --json)" | Should -Not -Match 'hidden'
        Set-McpServer my-api -Header @{ 'X-Key' = '' }
        (Get-McpServer my-api).HeaderNames | Should -Be 'A-Team'
        Set-McpToken my-api (Protect token)
        (Get-McpServer my-api).HeaderNames | Should -Be 'A-Team'
        # An index of an older version does not have the names: the next read of the vault adds them.
        $index = "$env:MCPSM_CONFIG_DIR/credentials.json"
        $older = (Get-Content $index -Raw) -replace '"headerNames":\s*\[[^\]]*\],?', '' -replace '"hasClientSecret":\s*true,?', ''
        $older -replace ',(\s*})', '$1' | Set-Content $index -NoNewline
        (Get-McpServer my-api).HeaderNames | Should -HaveCount 0
        Get-McpToken my-api | Out-Null
        (Get-McpServer my-api).HeaderNames | Should -Be 'A-Team'
        (Get-McpServer my-api).HasClientSecret | Should -BeTrue
    }
}
