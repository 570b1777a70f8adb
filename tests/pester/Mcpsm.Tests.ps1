#Requires -Version 7.6
#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '6.0' }

# The module in a real pwsh. Build it first (dotnet build).

BeforeDiscovery {
    $script:hasStore = [bool](Get-Module -ListAvailable Microsoft.PowerShell.SecretManagement) -and
        [bool](Get-Module -ListAvailable Microsoft.PowerShell.SecretStore)
}

BeforeAll {
    . "$PSScriptRoot/Sample.ps1"
    # The vault is named, so that no notice about the default vault is printed.
    $env:MCPSM_VAULT = $null
    Import-Module $manifest
}

AfterAll {
    Remove-Module Mcpsm
    Stop-Sample
}

Describe 'the module' {
    It 'imports in a clean process and exports what its manifest says' {
        $exported = pwsh -NoProfile -NonInteractive -c "Import-Module '$manifest'; (Get-Module Mcpsm).ExportedCommands.Keys | Sort-Object"
        $declared = Import-PowerShellDataFile $manifest
        $exported | Should -Be (@($declared.CmdletsToExport) + $declared.FunctionsToExport + $declared.AliasesToExport | Sort-Object)
    }

    It 'has a valid manifest' {
        (Test-ModuleManifest $manifest).Version | Should -Be $version
    }
}

Describe 'a session with other versions of the module''s dependencies' {
    # docs/adr/0004-module-load-context.md: the session keeps the assemblies that it loaded first, and the module uses its own.
    It 'keeps its versions, and the module uses its own' {
        $names = 'Duende.IdentityModel', 'System.CommandLine', 'ModelContextProtocol.Core', 'Microsoft.Identity.Client'
        foreach ($name in $names) {
            $made = [System.Reflection.Emit.PersistedAssemblyBuilder]::new([System.Reflection.AssemblyName]::new("$name, Version=1.0.0.0"), [object].Assembly)
            [void]$made.DefineDynamicModule($name).DefineType('Of' + $name.Replace('.', ''), 'Public, Class').CreateType()
            $made.Save("$folder/$name.dll")
        }
        $found = pwsh -NoProfile -NonInteractive -c @"
            `$env:MCPSM_CONFIG_DIR = '$folder/other-config'
            foreach (`$name in '$($names -join "','")') { [void][System.Reflection.Assembly]::LoadFrom("$folder/`$name.dll") }
            Import-Module '$manifest'
            Add-McpServer my-api $url | Out-Null
            (Connect-McpServer my-api -CallbackPort 0 -Vault file 6>`$null).State
            (Test-McpServer my-api).Success
            [OfDuendeIdentityModel].Assembly.GetName().Version.ToString()
            [AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { `$_.GetName().Name -in 'Duende.IdentityModel', 'ModelContextProtocol.Core' } |
                ForEach-Object { [System.Runtime.Loader.AssemblyLoadContext]::GetLoadContext(`$_).Name } | Sort-Object
"@
        $found | Should -Be @('Authenticated', 'True', '1.0.0.0', 'Default', 'Default', 'Mcpsm', 'Mcpsm')
    }
}

Describe 'signing in' {
    It 'adds, signs in, tests, renews and signs out' {
        Add-McpServer my-api $url | Out-Null
        (Get-McpAuthStatus my-api).State | Should -Be 'NotAuthenticated'
        (Get-McpServer my-api | Connect-McpServer -CallbackPort 0 -Vault file).State | Should -Be 'Authenticated'
        (Test-McpServer my-api).Success | Should -BeTrue
        $token = Get-McpToken my-api
        $token | Should -BeOfType [securestring]
        Get-McpAuthStatus | Where-Object State -EQ Authenticated | Update-McpToken | Out-Null
        Get-McpToken my-api -AsPlainText | Should -Not -Be ($token | ConvertFrom-SecureString -AsPlainText)
        Disconnect-McpServer my-api -Force
        { Get-McpToken my-api -ErrorAction Stop } | Should -Throw -ErrorId 'AuthenticationRequired,*'
    }

    It 'shows a table that fits a terminal' {
        $lines = Get-McpAuthStatus | Format-Table | Out-String -Width 100 -Stream
        ($lines -join "`n") | Should -Match 'Name\s+State\s+Expires\s+Remedy\s+Kind'
    }

    It 'passes a header to Invoke-WebRequest' {
        Connect-McpServer my-api -CallbackPort 0 | Out-Null
        $body = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},' +
            '"clientInfo":{"name":"t","version":"0"}}}'
        $headers = (Get-McpToken my-api -AsHeader) + @{ Accept = 'application/json, text/event-stream' }
        $answer = Invoke-WebRequest $url -Method Post -Body $body -ContentType 'application/json' -Headers $headers
        $answer.StatusCode | Should -Be 200
    }
}

Describe 'mcpsm in the session' {
    It 'returns objects through ConvertFrom-Json and sets LASTEXITCODE' {
        (mcpsm auth status --json | ConvertFrom-Json).name | Should -Be 'my-api'
        $LASTEXITCODE | Should -Be 0
        mcpsm auth token nosuch
        $LASTEXITCODE | Should -Be 1
    }

    It 'completes names from the catalog' {
        (TabExpansion2 'Get-McpAuthStatus my').CompletionMatches.CompletionText | Should -Contain 'my-api'
    }
}

Describe 'SecretManagement' -Tag SecretStore -Skip:(-not $hasStore) {
    BeforeAll {
        $env:HOME = "$TestDrive/home"
        New-Item -ItemType Directory $env:HOME | Out-Null
    }

    It 'stores a sign-in in SecretStore, the registered default vault' {
        $found = pwsh -NoProfile -NonInteractive -c @"
            `$env:MCPSM_CONFIG_DIR = '$TestDrive/store-config'
            Import-Module '$manifest'
            `$password = ConvertTo-SecureString x -AsPlainText -Force
            Set-SecretStoreConfiguration -Scope CurrentUser -Authentication None -Interaction None -Confirm:`$false -Password `$password
            Register-SecretVault -Name Store -ModuleName Microsoft.PowerShell.SecretStore -DefaultVault
            Add-McpServer my-api $url | Out-Null
            (Connect-McpServer my-api -CallbackPort 0 6>`$null).Vault
            (Get-SecretInfo | Where-Object Name -like 'mcpsm*').Count
            (Test-McpServer my-api).Success
            Disconnect-McpServer my-api -Force
            (Get-SecretInfo | Where-Object Name -eq 'mcpsm-my-api').Count
"@
        $found | Should -Be @('secretmanagement:Store', '2', 'True', '0')
    }
}
