#Requires -Version 7.6
#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '6.0' }

# How servers are found: by id, name or URL, or without any of them if there is only one server.

BeforeAll {
    . "$PSScriptRoot/Sample.ps1"
    Import-Module $manifest
}

AfterAll {
    Remove-Module Mcpsm
    Stop-Sample
}

Describe 'a URL instead of a name' {
    AfterEach { Get-McpServer | Remove-McpServer -Force }

    It 'finds the server with that URL, for <_>' -ForEach 'Get-McpServer', 'Get-McpAuthStatus', 'Test-McpServer', 'Clear-McpToken', 'Remove-McpServer -Force',
        'Set-McpServer -Scope a', 'Disconnect-McpServer -Force', 'Update-McpToken', 'Connect-McpServer -CallbackPort 0' {
        Add-McpServer query "${url}?a=1&b=[2]" | Out-Null
        Add-McpServer plain https://other.example/mcp | Out-Null
        & ([scriptblock]::Create("$_ '${url}?a=1&b=[2]' -ErrorAction SilentlyContinue -ErrorVariable script:problems")) *> $null
        $script:problems | Where-Object FullyQualifiedErrorId -Like 'ServerNotFound*' | Should -BeNullOrEmpty
    }

    It 'of an unknown server is an error that suggests adding it' {
        Get-McpServer "${url}?x=*" -ErrorVariable problem -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $problem.FullyQualifiedErrorId | Should -BeLike 'ServerNotFound*'
        $problem.ErrorDetails.RecommendedAction | Should -Match 'add'
    }

    It 'is added and signed in to by Connect-McpServer' {
        $status = Connect-McpServer $url -CallbackPort 0 6>$null
        $status.State | Should -Be 'Authenticated'
        (Get-McpServer).Url | Should -Be $url
        (Connect-McpServer $url -CallbackPort 0 6>$null).Id | Should -Be $status.Id
    }

    It 'of several servers is an error that names them' {
        Add-McpServer one https://other.example/mcp | Out-Null
        Add-McpServer two https://other.example/mcp | Out-Null
        Get-McpServer https://other.example/mcp -ErrorVariable problem -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        "$problem" | Should -Be 'Several servers have that URL: one, two.'
        Connect-McpServer https://other.example/mcp -ErrorVariable problem -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        "$($problem[0])" | Should -Be 'Several servers have that URL: one, two.'
    }
}

Describe 'names that differ only in letter case' {
    AfterEach { Get-McpServer | Remove-McpServer -Force }

    It 'are refused when a server is added or renamed' {
        Add-McpServer API https://a.example/mcp | Out-Null
        Add-McpServer other https://b.example/mcp | Out-Null
        { Add-McpServer api https://c.example/mcp -ErrorAction Stop } | Should -Throw -ErrorId 'ServerAlreadyExists*' -ExpectedMessage "*'API'*"
        { Set-McpServer other -NewName Api -ErrorAction Stop } | Should -Throw -ErrorId 'ServerAlreadyExists*' -ExpectedMessage "*'API'*"
        (Get-McpServer).Name | Should -Be 'API', 'other'
    }

    It 'stay usable in a catalog that has both' {
        '{"servers":[],"remoteServers":[{"id":"one","name":"API","url":"https://a.example/mcp"},{"id":"two","name":"api","url":"https://b.example/mcp"}]}' |
            Set-Content "$env:MCPSM_CONFIG_DIR/config.json"
        (Get-McpServer API).Id | Should -Be 'one'
        (Get-McpServer api).Id | Should -Be 'two'
        (Get-McpServer AP*).Id | Should -Be 'one'
        (Get-McpServer ap*).Id | Should -Be 'two'
        (Get-McpServer *).Id | Should -Be 'one', 'two'
        Get-McpServer Api -ErrorVariable problem -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        "$problem" | Should -Match 'one.*two'
        (TabExpansion2 'Get-McpServer ap').CompletionMatches.CompletionText | Should -Be 'API', 'api'
        (Set-McpServer api -Scope a -PassThru).Id | Should -Be 'two'
    }
}

Describe 'a name' {
    AfterEach { Get-McpServer | Remove-McpServer -Force }

    It 'of any script is accepted, such as <_>' -ForEach '日本', 'Мой сервер', 'خادم' {
        Add-McpServer $_ https://a.example/mcp | Out-Null
        $server = Get-McpServer $_
        $server.Name | Should -Be $_
        $server.Id | Should -Match '^server-[0-9a-f]{8}$'
        (TabExpansion2 "Get-McpServer $($_.Substring(0, 2))").CompletionMatches | Should -HaveCount 1
    }

    It 'can be given to only one server' {
        Add-McpServer one https://a.example/mcp | Out-Null
        Add-McpServer two https://b.example/mcp | Out-Null
        foreach ($try in { Set-McpServer * -NewName same -ErrorAction Stop }, { Get-McpServer | Set-McpServer -NewName same -ErrorAction Stop },
            { Set-McpServer one, two -NewName same -WhatIf -ErrorAction Stop }) {
            $try | Should -Throw -ErrorId 'InvalidValue*' -ExpectedMessage '-NewName can rename one server, but there are 2: one, two. No server was changed.'
        }
        (Get-McpServer).Name | Should -Be 'one', 'two'
        Get-McpServer one | Set-McpServer -NewName three
        (Get-McpServer).Name | Should -Be 'three', 'two'
    }

    It 'beside -Url is the name of the new server' {
        (Connect-McpServer -Url $url -Name 'My Server' -CallbackPort 0 6>$null).Name | Should -Be 'My Server'
        (Connect-McpServer 'my server' -Url $url -CallbackPort 0 6>$null).Name | Should -Be 'My Server'
        Get-McpServer | Should -HaveCount 1
        Connect-McpServer a, b -Url $url -ErrorVariable problem -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $problem.FullyQualifiedErrorId | Should -BeLike 'InvalidValue*'
    }
}

Describe 'a missing name' {
    AfterEach { Get-McpServer | Remove-McpServer -Force }

    It 'means the only server' {
        Add-McpServer only $url | Out-Null
        (Connect-McpServer -CallbackPort 0 6>$null).Name | Should -Be 'only'
        Get-McpToken | Should -BeOfType securestring
        Get-McpToken -AsPlainText | Should -Be (Get-McpToken only -AsPlainText)
    }

    It 'is an error that lists the servers if there are several' {
        Add-McpServer one https://a.example/mcp | Out-Null
        Add-McpServer two https://b.example/mcp | Out-Null
        foreach ($command in 'Connect-McpServer', 'Get-McpToken') {
            { & $command -ErrorAction Stop } | Should -Throw -ErrorId 'InteractionRequired*' -ExpectedMessage 'There are several servers: one, two.'
        }
    }

    It 'is an error if there is no server' {
        { Connect-McpServer -ErrorAction Stop } | Should -Throw -ErrorId 'ServerNotFound*'
        { Get-McpToken -ErrorAction Stop } | Should -Throw -ErrorId 'ServerNotFound*'
    }

    It 'is not the same as an empty or null value' {
        Add-McpServer only https://a.example/mcp | Out-Null
        { Connect-McpServer $null } | Should -Throw -ErrorId 'ParameterArgumentValidationError*'
        { Get-McpToken -Name '' } | Should -Throw -ErrorId 'ParameterArgumentValidationError*'
        $null | Get-McpToken -ErrorVariable problem -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $problem | Should -HaveCount 1
        Get-McpServer none* | Connect-McpServer | Should -BeNullOrEmpty
    }

    It 'can be combined with the credential of a client' {
        Add-McpServer one https://a.example/mcp | Out-Null
        Add-McpServer two https://b.example/mcp | Out-Null
        $client = [pscredential]::new('me', (ConvertTo-SecureString secret -AsPlainText))
        { Connect-McpServer -ClientCredential $client -ErrorAction Stop } | Should -Throw -ErrorId 'InteractionRequired*'
        { Connect-McpServer -KeyFilePath none.pem -ErrorAction Stop } | Should -Throw -ErrorId 'InteractionRequired*'
    }
}
