#Requires -Version 7.6
#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '6.0' }

# Mcpsm with the real SecretManagement, as an extension vault and as a user of one. Each test runs in a new pwsh, whose HOME holds
# the registered vaults.

BeforeDiscovery {
    $script:hasStore = [bool](Get-Module -ListAvailable Microsoft.PowerShell.SecretManagement) -and
        [bool](Get-Module -ListAvailable Microsoft.PowerShell.SecretStore)
}

BeforeAll {
    . "$PSScriptRoot/Sample.ps1"
    # Each new session sets its own.
    $env:HOME = $env:MCPSM_CONFIG_DIR = $env:MCPSM_VAULT = $null

    function Invoke-Fresh([string] $Script) {
        pwsh -NoProfile -NonInteractive -c @"
            `$manifest = '$manifest'; `$url = '$url'; `$InformationPreference = 'Ignore'; `$ErrorActionPreference = 'Continue'
            function Secure(`$text) { ConvertTo-SecureString `$text -AsPlainText -Force }
            $Script
"@ 2>$null
    }
}

AfterAll { Stop-Sample }

Describe 'Mcpsm as an extension vault' -Tag SecretStore -Skip:(-not $hasStore) {
    BeforeEach {
        $env:HOME = "$TestDrive/$(New-Guid)"
        $env:MCPSM_CONFIG_DIR = "$env:HOME/config"
        New-Item -ItemType Directory $env:HOME | Out-Null
        Invoke-Fresh 'Register-SecretVault -Name Mine -ModuleName $manifest' | Should -BeNullOrEmpty
    }

    It 'registers, stores, lists, tests, removes and unregisters' {
        Invoke-Fresh @'
            Set-Secret 'a Name ü "$x"' 'plain text' -Vault Mine -Metadata @{ word = 'w'; number = 7 } 6>$null
            Set-Secret secure (Secure 'secure text') -Vault Mine
            Get-Secret 'A NAME Ü "$x"' -Vault Mine -AsPlainText
            (Get-Secret secure -Vault Mine).GetType().Name
            Get-Secret secure -AsPlainText
            Get-SecretInfo -Vault Mine | ForEach-Object { "$($_.Name) $($_.Type) $($_.VaultName) $($_.Metadata.number)" }
            Get-SecretInfo sec* -Vault Mine | Get-Secret -AsPlainText
            Set-SecretInfo secure @{ when = [datetime]'2026-01-02' } -Vault Mine
            (Get-SecretInfo secure -Vault Mine).Metadata.when.Year
            Test-SecretVault Mine
            Remove-Secret secure -Vault Mine
            (Get-SecretInfo -Vault Mine).Count
            Remove-Secret secure -Vault Mine -ErrorVariable e -ErrorAction SilentlyContinue
            $e[0].FullyQualifiedErrorId.Split(',')[0]
            Get-Secret secure -Vault Mine -ErrorVariable e -ErrorAction SilentlyContinue
            $e[0].FullyQualifiedErrorId.Split(',')[0]
            Unregister-SecretVault Mine
            @(Get-SecretVault).Count
'@ | Should -Be @('plain text', 'SecureString', 'secure text', 'a Name ü "$x" String Mine 7', 'secure SecureString Mine ', 'secure text', '2026', 'True', '1',
            'SecretNotFound', 'GetSecretNotFound', '0')
    }

    It 'is refused with one error in a session that has loaded another build' {
        $other = New-OtherBuild "other-$(New-Guid)" 'dependencies/McpSm.Core.dll' 9.9.9
        Invoke-Fresh "Register-SecretVault -Name Other -ModuleName '$other'" | Should -BeNullOrEmpty
        Invoke-Fresh @'
            Import-Module $manifest
            @(Get-McpAuthStatus).Count
            Test-SecretVault Other -ErrorVariable e -ErrorAction SilentlyContinue
            "$($e[0])"
            Test-SecretVault Mine
'@ | Should -Be @(
            '0', 'False'
            "Another Mcpsm is loaded in this session, from '$(Split-Path $manifest)'. " +
                "To use the one in '$(Split-Path $other)', start a new session."
            'True'
        )
    }

    It 'refuses other types by name' {
        $found = Invoke-Fresh @'
            foreach ($secret in ([byte[]](1, 2)), ([pscredential]::new('u', (Secure 'p'))), @{ k = 'v' }) {
                Set-Secret a -Secret $secret -Vault Mine -ErrorVariable e -ErrorAction SilentlyContinue
                "$e"
            }
            @(Get-SecretInfo -Vault Mine).Count
'@
        $messages = 'Byte[]', 'PSCredential', 'Hashtable' |
            ForEach-Object { "Mcpsm cannot store a secret of type $_, only String and SecureString." }
        $found | Should -Be (@($messages) + '0')
    }

    It 'returns only the token of a server, by its name' {
        Invoke-Fresh @'
            Import-Module $manifest
            Add-McpServer 'My API' $url | Out-Null
            (Connect-McpServer my-api -CallbackPort 0 6>$null).Vault
            foreach ($name in 'my-api', 'My API', 'MY-API') { (Get-Secret $name -Vault Mine -AsPlainText) -ceq (Get-McpToken my-api -AsPlainText) }
            (Get-Secret 'My API' -AsPlainText).Length -eq (Get-McpToken my-api).Length
            (Get-SecretInfo -Vault Mine).ForEach({ "$($_.Name) $($_.Type) $($_.Metadata.Kind) $($_.Metadata.State)" })
            Set-Secret my-api other -Vault Mine -ErrorVariable e -ErrorAction SilentlyContinue; $e[0].FullyQualifiedErrorId.Split(',')[0]
            Remove-Secret my-api -Vault Mine -ErrorVariable e -ErrorAction SilentlyContinue; $e[0].FullyQualifiedErrorId.Split(',')[0]
            (Get-McpAuthStatus).State
'@ | Should -Be @('file', 'True', 'True', 'True', 'True', 'my-api SecureString OAuth Authenticated', 'InvalidValue', 'InvalidValue', 'Authenticated')
    }

    It 'throws PasswordRequiredException for a locked file, and can be unlocked' {
        Invoke-Fresh '$env:MCPSM_VAULT_PASSPHRASE = "the right one"; Set-Secret a text -Vault Mine 6>$null' | Should -BeNullOrEmpty
        Invoke-Fresh @'
            Get-Secret a -Vault Mine -ErrorVariable e -ErrorAction SilentlyContinue
            $e[0].Exception.GetType().Name
            try { Unlock-SecretVault Mine -Password (Secure 'a wrong one') } catch { $_.Exception.GetType().Name }
            Unlock-SecretVault Mine -Password (Secure 'the right one')
            Get-Secret a -Vault Mine -AsPlainText
            Set-Secret b more -Vault Mine
            (Get-SecretInfo -Vault Mine).Name
'@ | Should -Be @('PasswordRequiredException', 'PasswordRequiredException', 'text', 'a', 'b')
    }

    It 'is refused as the vault of Mcpsm before a sign-in' {
        Invoke-Fresh @'
            Import-Module $manifest
            Add-McpServer my-api $url | Out-Null
            $quiet = @{ ErrorVariable = 'e'; ErrorAction = 'SilentlyContinue'; InformationVariable = 'said' }
            Connect-McpServer my-api -CallbackPort 0 -Vault secretmanagement:Mine @quiet 6>$null
            "$e"; @($said -match 'authorize').Count
            Set-McpVault secretmanagement:Mine -ErrorVariable e -ErrorAction SilentlyContinue; "$e"
            # The only registered vault is the default vault, and still not selected.
            (Connect-McpServer my-api -CallbackPort 0 6>$null).Vault
'@ | Should -Be @(
            "The vault 'Mine' is Mcpsm itself, so Mcpsm cannot store credentials in it.", '0'
            "The vault 'Mine' is Mcpsm itself, so Mcpsm cannot store credentials in it.", 'file'
        )
    }
}

Describe 'SecretStore as the vault' -Tag SecretStore -Skip:(-not $hasStore) {
    BeforeEach {
        $env:HOME = "$TestDrive/$(New-Guid)"
        $env:MCPSM_CONFIG_DIR = "$env:HOME/config"
        New-Item -ItemType Directory $env:HOME | Out-Null
        Invoke-Fresh @'
            Set-SecretStoreConfiguration -Scope CurrentUser -Authentication Password -Interaction None -Confirm:$false -Password (Secure 'pw')
            Register-SecretVault -Name Store -ModuleName Microsoft.PowerShell.SecretStore -DefaultVault
'@ | Should -BeNullOrEmpty
    }

    It 'is shared by several runspaces' {
        Invoke-Fresh @'
            Unlock-SecretVault Store -Password (Secure 'pw')
            Import-Module $manifest
            Add-McpServer my-api $url | Out-Null
            (Connect-McpServer my-api -CallbackPort 0 6>$null).Vault
            $length = (Get-McpToken my-api -AsPlainText).Length
            $lengths = 1..6 | ForEach-Object -ThrottleLimit 6 -Parallel {
                Import-Module $using:manifest
                (Get-McpToken my-api -AsPlainText).Length
            }
            @(@($lengths) -eq $length).Count
'@ | Should -Be @('secretmanagement:Store', '6')
    }

    It 'stores a sign-in across renewals and moves in and out' {
        Invoke-Fresh @'
            Unlock-SecretVault Store -Password (Secure 'pw')
            Import-Module $manifest
            Add-McpServer my-api $url | Out-Null
            (Connect-McpServer my-api -CallbackPort 0 -Vault file 6>$null).Vault
            @(Get-SecretInfo -Vault Store).Count
            Set-McpVault secretmanagement:Store -Move 6>$null
            (Get-McpAuthStatus).Vault
            Get-SecretInfo -Vault Store | ForEach-Object { $_.Name -replace '-[0-9a-f]{16}$', '-…' } | Sort-Object
            $then = Get-McpToken my-api -AsPlainText
            (Update-McpToken my-api).State
            (Get-McpToken my-api -AsPlainText) -ne $then
            (Test-McpServer my-api).Success
            Set-McpVault file -Move 6>$null
            "$((Get-McpAuthStatus).Vault) $(@(Get-SecretInfo -Vault Store).Count) $((Test-McpServer my-api).Success)"
'@ | Should -Be @('file', '0', 'secretmanagement:Store', 'mcpsm-my-api', 'mcpsmclient-…', 'Authenticated', 'True', 'True', 'file 0 True')
    }

    It 'is a VaultLocked error while it is locked, and the status does not need it' {
        Invoke-Fresh @'
            Unlock-SecretVault Store -Password (Secure 'pw')
            Import-Module $manifest
            Add-McpServer my-api $url | Out-Null
            Set-McpToken my-api (Secure 'its-token')
'@ | Should -BeNullOrEmpty
        Invoke-Fresh @'
            Import-Module $manifest
            (Get-McpAuthStatus).State
            Get-McpToken my-api -ErrorVariable e -ErrorAction SilentlyContinue
            "$($e[0].FullyQualifiedErrorId.Split(',')[0]) $($e[0].ErrorDetails.RecommendedAction)"
            mcpsm auth token my-api 6>$null; $LASTEXITCODE
            Unlock-SecretVault Store -Password (Secure 'pw')
            Get-McpToken my-api -AsPlainText
'@ | Should -Be @('BearerToken', "VaultLocked Unlock-SecretVault -Name 'Store'", '1', 'its-token')
    }
}
