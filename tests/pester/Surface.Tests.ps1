#Requires -Version 7.6
#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '6.0' }

# What a user sees of the module in a real pwsh: help, completion, pipelines and tables.

BeforeDiscovery {
    $root = Resolve-Path "$PSScriptRoot/../.."
    $version = ([xml](Get-Content "$root/Directory.Build.props" -Raw)).SelectSingleNode('//VersionPrefix').InnerText
    $script:cmdlets = (Import-PowerShellDataFile "$root/out/Mcpsm/$version/Mcpsm.psd1").CmdletsToExport
}

BeforeAll {
    . "$PSScriptRoot/Sample.ps1"
    Import-Module $manifest
    Add-McpServer my-api $url | Out-Null
    Connect-McpServer my-api -CallbackPort 0 6>$null | Out-Null
    Add-McpServer 'Other API' https://other.example/mcp | Out-Null
    Set-McpIdentityProvider https://login.example.com -ClientId mcpsm-at-work
}

AfterAll {
    Remove-Module Mcpsm
    Stop-Sample
}

Describe 'help' {
    It 'is complete for <_>' -ForEach $cmdlets {
        $help = Get-Help $_ -Full
        $help.Synopsis | Should -Match '^[A-Z].*\.$'
        @($help.examples.example).Count | Should -BeGreaterOrEqual 2
        foreach ($parameter in $help.parameters.parameter | Where-Object name | Where-Object name -NotIn 'WhatIf', 'Confirm', 'ProgressAction') {
            "$($parameter.description.Text)" | Should -Match '\w' -Because "-$($parameter.name) of $_ is described"
        }
        # The text has every section.
        $text = $help | Out-String -Width 100
        foreach ($section in 'NAME', 'SYNOPSIS', 'SYNTAX', 'PARAMETERS', 'OUTPUTS') { $text | Should -Match "(?m)^$section" }
    }

    It 'of <_> is the one page of the function' -ForEach 'mcpsm', 'Invoke-Mcpsm', 'MCPSM' {
        $help = @(Get-Help $_ -Full)
        $help | Should -HaveCount 1
        $help[0].Name | Should -Be 'Invoke-Mcpsm'
        $help[0].Synopsis | Should -BeExactly (Get-Help Invoke-Mcpsm).Synopsis
        @($help[0].examples.example).Count | Should -BeGreaterOrEqual 2
        @($help[0].relatedLinks.navigationLink.uri)[0] | Should -BeLike 'https://*/docs/en-US/Invoke-Mcpsm.md'
    }

    It 'of mcpsm adds no visible command and leaves nothing behind' {
        pwsh -NoProfile -NonInteractive -c @"
            Import-Module '$manifest'
            (Get-Command mcpsm*, Invoke-Mcpsm).Name | Sort-Object -Unique
            Remove-Module Mcpsm
            Test-Path function:mcpsm.ps1
"@ | Should -Be 'Invoke-Mcpsm', 'mcpsm', 'False'
    }

    It 'has the topic <_>' -ForEach 'about_Mcpsm', 'about_McpAuthentication', 'about_McpVaults', 'about_McpTroubleshooting' {
        Get-Help $_ | Out-String | Should -Match '(?i)mcp'
    }
}

Describe 'completion' {
    It 'of <line> is <text>, with a tool tip' -ForEach @(
        @{ Line = 'Get-McpAuthStatus my'; Text = 'my-api'; Tip = '*127.0.0.1*' }
        @{ Line = 'Get-McpToken oth'; Text = "'Other API'"; Tip = '*other.example*' }
        @{ Line = 'Connect-McpServer my-api -Vault fi'; Text = 'file'; Tip = 'keeps the credential of 1 server*' }
        @{ Line = 'Set-McpServer my-api -Issuer '; Text = 'http://127.0.0.1:*'; Tip = '*my-api*' }
        @{ Line = 'Set-McpServer my-api -Scope mcp'; Text = 'mcp:tools'; Tip = '*my-api*' }
    ) {
        $found = (TabExpansion2 $line).CompletionMatches | Where-Object CompletionText -Like $text
        $found | Should -HaveCount 1
        $found.ToolTip | Should -BeLike $tip
    }
}

Describe '-WhatIf' {
    It 'of <_> changes nothing' -ForEach @(
        'Add-McpServer c https://c.example/mcp', 'Set-McpServer my-api -Url https://d.example/mcp', 'Remove-McpServer * -Force',
        'Connect-McpServer my-api', 'Connect-McpServer -All -Force', 'Disconnect-McpServer my-api -Force', 'Update-McpToken my-api',
        'Set-McpToken my-api (ConvertTo-SecureString t -AsPlainText)', 'Clear-McpToken *', 'Remove-McpClientRegistration *',
        'Set-McpVault file', 'Set-McpVault -NewKeyFile', 'Get-McpServer | Remove-McpServer',
        'Set-McpIdentityProvider https://idp.example -ClientId me', 'Connect-McpIdentityProvider', 'Remove-McpIdentityProvider -Force'
    ) {
        $files = Get-FolderHash
        & ([scriptblock]::Create("$_ -WhatIf")) | Should -BeNullOrEmpty
        Get-FolderHash | Should -Be $files
        (Get-McpAuthStatus my-api).State | Should -Be 'Authenticated'
    }
}

Describe 'a pipeline' {
    It 'renews what has expired' {
        $facts = "$env:MCPSM_CONFIG_DIR/credentials.json"
        (Get-Content $facts -Raw) -replace '("expiresAt"\s*:\s*")20\d\d', '${1}2001' | Set-Content $facts -NoNewline
        $renewed = Get-McpAuthStatus | Where-Object State -EQ Expired | Update-McpToken
        $renewed.Name | Should -Be 'my-api'
        $renewed.State | Should -Be 'Authenticated'
        Get-McpAuthStatus | Where-Object State -EQ Expired | Should -BeNullOrEmpty
    }

    It 'adds the servers of a CSV file' {
        @'
Name,Url,Transport,ClientId,Scope
csv-one,https://one.example/mcp,http,id-1,a
csv-two,https://two.example/sse,sse,id-2,b
'@ | Set-Content "$TestDrive/servers.csv"
        Import-Csv "$TestDrive/servers.csv" | Add-McpServer | Out-Null
        Get-McpServer csv-* | ForEach-Object { "$($_.Name) $($_.Url) $($_.Transport) $($_.Scopes)" } |
            Should -Be @('csv-one https://one.example/mcp Http a', 'csv-two https://two.example/sse Sse b')
        Get-McpServer csv-* | Remove-McpServer -Force
    }

    It 'writes JSON with the values of the objects' {
        $one = Get-McpAuthStatus my-api | ConvertTo-Json -EnumsAsStrings | ConvertFrom-Json
        $one.State | Should -Be 'Authenticated'
        $one.Kind | Should -Be 'OAuth'
        $one.ExpiresAt | Should -BeGreaterThan ([datetime]::UtcNow)
        $one.Scopes | Should -Be 'mcp:tools'
        Get-McpServer my-api | ConvertTo-Json -WarningVariable cut | Out-Null
        $cut | Should -BeNullOrEmpty
    }

    It 'writes CSV with the values of the objects' {
        Get-McpAuthStatus | Export-Csv "$TestDrive/status.csv"
        $read = Import-Csv "$TestDrive/status.csv" | Where-Object Name -EQ my-api
        $read.State | Should -Be 'Authenticated'
        $read.Url | Should -Be $url
        $read.Scopes | Should -Be 'mcp:tools'
    }

    It 'shows an object in a string as its name' {
        "$(Get-McpServer my-api) $(Get-McpAuthStatus my-api) $(Get-McpVault file) $(Get-McpIdentityProvider)" |
            Should -Be 'my-api my-api file https://login.example.com'
    }

    It 'compares the status before and after a change' {
        $then = Get-McpAuthStatus
        Set-McpToken 'Other API' (ConvertTo-SecureString t -AsPlainText)
        $changed = Compare-Object $then (Get-McpAuthStatus) -Property Name, State
        $changed | ForEach-Object { "$($_.SideIndicator) $($_.Name) $($_.State)" } | Sort-Object |
            Should -Be @('<= Other API NotAuthenticated', '=> Other API BearerToken')
        Clear-McpToken 'Other API'
    }

    It 'passes a token to Invoke-RestMethod' {
        $body = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},' +
            '"clientInfo":{"name":"t","version":"0"}}}'
        $answer = Invoke-RestMethod $url -Method Post -Body $body -ContentType 'application/json' -Headers @{ Accept = 'application/json, text/event-stream' } `
            -Authentication Bearer -Token (Get-McpToken my-api) -AllowUnencryptedAuthentication
        "$answer$($answer | ConvertTo-Json -Depth 9)" | Should -Match 'sample-server'
    }
}

Describe 'a table' {
    AfterEach {
        $PSStyle.OutputRendering = 'Host'
        $env:NO_COLOR = $null
    }

    It 'of <_> fits 100 columns and cuts no ordinary line' -ForEach 'Get-McpAuthStatus', 'Get-McpServer', 'Test-McpServer my-api', 'Get-McpIdentityProvider' {
        $PSStyle.OutputRendering = 'PlainText'
        $lines = & ([scriptblock]::Create($_)) | Out-String -Width 100 -Stream
        $lines | ForEach-Object { $_.Length | Should -BeLessOrEqual 100 }
        ($lines -join "`n") | Should -Not -Match '…'
    }

    Context 'of <width> columns' -ForEach @(40, 50, 80, 120, 200 | ForEach-Object { @{ Width = $_ } }) {
        BeforeAll {
            Add-McpServer 'a name that is longer than twenty' https://long.example/a/path/of/some/length/mcp | Out-Null
            Add-McpServer '東京の気象サーバー' https://tokyo.example/mcp | Out-Null
            Add-McpServer nowhere http://127.0.0.1:9/mcp | Out-Null
            # A Chinese, Japanese or Korean letter takes two columns.
            $wide = '[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]'
            function Get-CellCount([string] $Text) { $Text.Length + [regex]::Matches($Text, $wide).Count }
        }

        AfterAll { Remove-McpServer 'a name*', '東京*', nowhere -Force }

        It 'shows one line an object for <Command>, the first columns in full and an ellipsis for the rest' -ForEach @(
            @{ Command = 'Get-McpAuthStatus'; Columns = 'Name', 'State', 'Expires', 'Remedy', 'Kind' }
            @{ Command = 'Get-McpServer'; Columns = 'Name', 'Url', 'Transport', 'OAuth' }
            @{ Command = 'Test-McpServer my-api'; Columns = 'Name', 'Success', 'Status', 'Latency', 'Result' }
            @{ Command = 'Test-McpServer nowhere'; Columns = 'Name', 'Success', 'Status', 'Latency', 'Result' }
            @{ Command = 'Get-McpVault'; Columns = 'Name', 'InUse', 'Protection' }
            @{ Command = 'Get-McpIdentityProvider'; Columns = 'Issuer', 'SignedIn', 'IsSet', 'Remedy', 'Expires' }
        ) {
            $PSStyle.OutputRendering = 'PlainText'
            $objects = @(& ([scriptblock]::Create($Command)))
            $lines = @($objects | Out-String -Width $width -Stream | Where-Object { $_.Trim() })
            $lines | Should -HaveCount (2 + $objects.Count) -Because "no cell and no heading wraps: $($lines -join "`n")"
            foreach ($line in $lines) { Get-CellCount $line | Should -BeLessOrEqual $width }
            $headings = @(-split $lines[0])
            $headings.Count | Should -BeGreaterOrEqual 2
            $headings | Should -Be $Columns[0..($headings.Count - 1)]
            if ($width -ge 120) { $headings | Should -Contain $Columns[2] }
            if ($width -eq 200 -and $Command -ne 'Get-McpVault') { $lines -join "`n" | Should -Not -Match '…' }
            for ($i = 0; $i -lt $objects.Count; $i++) {
                $lines[$i + 2] | Should -BeLike "$($objects[$i].($Columns[0])) *"
                # Only the last visible column can be cut.
                $lines[$i + 2].TrimEnd() | Should -Match '^[^…]*…?$'
            }
        }

        It 'shows times and remedies in full from 80 columns on' {
            $PSStyle.OutputRendering = 'PlainText'
            $text = Get-McpAuthStatus my-api, nowhere | Out-String -Width $width
            if ($width -ge 80) {
                $text | Should -Match ' \d{4}-\d\d-\d\d \d\d:\d\d'
                $text | Should -Match 'Connect-McpServer nowhere'
            }
        }

        It 'shows which server answered a test' {
            $PSStyle.OutputRendering = 'PlainText'
            $tested = Test-McpServer my-api
            $text = $tested | Out-String -Width $width
            if ($width -ge 80) { $text | Should -Match "sample-server \S+, $($tested.ToolCount) tools, protocol $($tested.ProtocolVersion)" }
            else { $text | Should -Match 'True +200 +\d+ ms sample' }
        }

        It 'shows every property in a list of <_>' -ForEach @(
            'Get-McpAuthStatus', 'Get-McpServer', 'Test-McpServer nowhere', 'Get-McpVault', 'Get-McpIdentityProvider'
        ) {
            $PSStyle.OutputRendering = 'PlainText'
            $objects = @(& ([scriptblock]::Create($_)))
            $text = $objects | Format-List | Out-String -Width $width
            $values = ($text -replace '(?m)^\s*: ' -replace '\s')
            foreach ($property in $objects[0].PSObject.Properties) {
                $text | Should -Match "(?m)^$($property.Name)\s*:"
                foreach ($object in $objects) {
                    if ($object.($property.Name) -is [string]) { $values | Should -Match ([regex]::Escape($object.($property.Name) -replace '\s')) }
                }
            }
        }
    }

    It 'shows Gregorian times in <_>, also for objects from a file or a job' -ForEach 'th-TH', 'ar-SA', 'de-DE' {
        $PSStyle.OutputRendering = 'PlainText'
        $expected = (Get-McpAuthStatus my-api).ExpiresAt.LocalDateTime.ToString('yyyy-MM-dd HH:mm', [cultureinfo]::InvariantCulture)
        $culture = [cultureinfo]::CurrentCulture
        try {
            [cultureinfo]::CurrentCulture = $_
            $file = "$TestDrive/status.xml"
            Get-McpAuthStatus my-api | Export-Clixml $file
            $fromJob = Start-Job -ArgumentList $_, $manifest {
                param($culture, $manifest)
                [cultureinfo]::CurrentCulture = $culture
                Import-Module $manifest
                Get-McpAuthStatus my-api
            } | Wait-Job | Receive-Job
            foreach ($status in (Get-McpAuthStatus my-api), (Import-Clixml $file), $fromJob) {
                $status | Out-String -Width 120 | Should -Match "my-api\s+Authenticated\s+$expected\s+OAuth"
            }
        }
        finally { [cultureinfo]::CurrentCulture = $culture }
    }

    It 'uses colours only if the terminal and NO_COLOR allow them' {
        $escape = [char]27
        $PSStyle.OutputRendering = 'Ansi'
        Get-McpAuthStatus my-api | Out-String | Should -Match "$escape\[32mAuthenticated"
        $env:NO_COLOR = '1'
        (Get-McpAuthStatus my-api | Out-String) -split "`n" | Where-Object { $_ -match 'Authenticated' } | Should -Not -Match $escape
        $env:NO_COLOR = $null
        $PSStyle.OutputRendering = 'PlainText'
        Get-McpAuthStatus my-api | Out-String | Should -Not -Match $escape
    }

    It 'shows the host of a URL in ASCII' {
        $url = "https://b$([char]0xfc)cher.example:8443/mcp"
        Add-McpServer homograph $url
        try {
            Get-McpServer homograph | Out-String -Width 100 | Should -Match 'https://xn--bcher-kva\.example:8443/mcp'
            (Get-McpServer homograph).Url | Should -Be $url
        }
        finally {
            Remove-McpServer homograph -Confirm:$false
        }
    }

    It 'becomes a list with every property' {
        $text = Get-McpAuthStatus my-api | Format-List | Out-String -Width 200
        $names = 'Id', 'Name', 'Url', 'Transport', 'Kind', 'State', 'ExpiresAt', 'Scopes', 'Issuer', 'Vault', 'CanRenew', 'RenewalUncertain', 'Remedy'
        foreach ($name in $names) {
            $text | Should -Match "(?m)^$name\s+:"
        }
    }
}

Describe 'Get-Member' {
    It 'shows only what a user can do with the objects of <_>' -ForEach @(
        'Get-McpServer', 'Get-McpAuthStatus', 'Get-McpIdentityProvider', 'Get-McpVault', 'Get-McpSetting', 'Test-McpServer', 'Import-McpCredential'
    ) {
        $types = (Get-Command $_).OutputType.Type | Where-Object FullName -Like 'McpSm.*'
        $types | Should -Not -BeNullOrEmpty
        foreach ($type in $types) {
            $members = [System.Runtime.CompilerServices.RuntimeHelpers]::GetUninitializedObject($type) | Get-Member
            $members | Where-Object MemberType -EQ Property | Should -Not -BeNullOrEmpty
            $members.Definition | Should -Not -Match '\bset;' -Because "$type is read-only"
            $members.Name | Should -Not -Contain '<Clone>$'
        }
    }

    It 'shows a property as read-only that cannot be assigned' {
        { (Get-McpAuthStatus my-api).Scopes = @('mcp:more') } | Should -Throw '*Scopes*read*only*'
    }
}
