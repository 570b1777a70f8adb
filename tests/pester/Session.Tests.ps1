#Requires -Version 7.6
#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '6.0' }

# Sessions that are interrupted, that run many commands at once, or that have loaded other assemblies first.

BeforeDiscovery {
    $script:hasInterrupt = -not $IsWindows
}

BeforeAll {
    . "$PSScriptRoot/Sample.ps1"
    Import-Module $manifest
    Add-McpServer my-api $url | Out-Null
    # The browser does nothing, so that each sign-in waits.
    $env:BROWSER = $IsWindows ? 'rundll32.exe user32.dll,UpdatePerUserSystemParameters' : 'true'

    function Wait-Until([scriptblock] $Condition) {
        for ($i = 0; $i -lt 300 -and -not (& $Condition); $i++) { Start-Sleep -Milliseconds 100 }
        & $Condition | Should -BeTrue -Because "the condition becomes true: $Condition"
    }

    function Test-Listening($Port) {
        [System.Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties().GetActiveTcpListeners().Port -contains $Port
    }

    function Assert-NothingHeld($Port) {
        $listener = [System.Net.Sockets.TcpListener]::new([System.Net.IPAddress]::Loopback, $Port)
        $listener.Start()
        $listener.Stop()
        foreach ($lock in Get-ChildItem $env:MCPSM_CONFIG_DIR -Recurse -Filter *.lock) {
            [System.IO.File]::Open($lock, 'Open', 'ReadWrite', 'None').Dispose()
        }
        Set-McpServer my-api -Scope a | Out-Null
        Set-McpServer my-api -Scope @() | Out-Null
    }
}

AfterAll {
    Remove-Module Mcpsm
    Stop-Sample
}

Describe 'Ctrl+C during a sign-in' {
    It 'ends a pipeline at once and releases the port and the locks' {
        $port = Get-FreePort
        $shell = [powershell]::Create().AddScript("Import-Module '$manifest'; Connect-McpServer my-api -NoBrowser -CallbackPort $port")
        $running = $shell.BeginInvoke()
        Wait-Until { Test-Listening $port }
        (Measure-Command { $shell.Stop() }).TotalSeconds | Should -BeLessThan 5
        $running.IsCompleted | Should -BeTrue
        $shell.InvocationStateInfo.State | Should -Be 'Stopped'
        $shell.Dispose()
        Assert-NothingHeld $port
    }

    It 'ends pwsh at once and releases the port and the locks' -Tag Interrupt -Skip:(-not $hasInterrupt) {
        $port = Get-FreePort
        $start = [System.Diagnostics.ProcessStartInfo]::new('/usr/bin/env')
        # nohup and background jobs ignore SIGINT, and child processes inherit that.
        $command = "Import-Module '$manifest'; Connect-McpServer my-api -NoBrowser -CallbackPort $port; 'went on'"
        foreach ($word in '--default-signal=INT', 'pwsh', '-NoProfile', '-c', $command) {
            $start.ArgumentList.Add($word)
        }
        $start.RedirectStandardInput = $start.RedirectStandardOutput = $start.RedirectStandardError = $true
        $pwsh = [System.Diagnostics.Process]::Start($start)
        try {
            $output = $pwsh.StandardOutput.ReadToEndAsync()
            Wait-Until { Test-Listening $port }
            kill -INT $pwsh.Id
            $pwsh.WaitForExit(5000) | Should -BeTrue
            $output.Result | Should -Not -Match 'went on'
        }
        finally {
            if (-not $pwsh.HasExited) { $pwsh.Kill($true) }
        }
        Assert-NothingHeld $port
    }
}

Describe 'many commands at once' {
    BeforeAll {
        Set-McpToken my-api (ConvertTo-SecureString one-token -AsPlainText)
    }

    It 'work in the runspaces of ForEach-Object -Parallel' {
        $found = 1..12 | ForEach-Object -ThrottleLimit 6 -Parallel {
            Import-Module $using:manifest
            Add-McpServer "p$_" "https://p$_.example/mcp" | Out-Null
            Get-McpToken my-api -AsPlainText
        }
        $found | Should -Be (@('one-token') * 12)
        @(Get-McpServer p*).Count | Should -Be 12
        Remove-McpServer p* -Force
    }

    It 'work in thread jobs' {
        $jobs = 1..6 | ForEach-Object { Start-ThreadJob { Import-Module $using:manifest; Get-McpAuthStatus my-api; Get-McpToken my-api -AsPlainText } }
        $found = $jobs | Wait-Job -Timeout 60 | Receive-Job
        $jobs | Remove-Job -Force
        @($found | Where-Object { $_ -is [string] }) | Should -Be (@('one-token') * 6)
        ($found | Where-Object { $_ -isnot [string] }).State | Sort-Object -Unique | Should -Be 'BearerToken'
    }
}

Describe 'a session that has loaded another Microsoft.Identity.Client first' {
    It 'keeps that version, and the module loads its own' {
        $other = '4.73.1'
        @"
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net8.0</TargetFramework><CopyLocalLockFileAssemblies>true</CopyLocalLockFileAssemblies></PropertyGroup>
  <ItemGroup><PackageReference Include="Microsoft.Identity.Client" Version="$other" /></ItemGroup>
</Project>
"@ | Set-Content "$TestDrive/other.csproj"
        $env:HOME = $before['HOME']
        dotnet restore "$TestDrive/other.csproj" --packages "$TestDrive/packages" 2>&1 | Out-Null
        $restored = $LASTEXITCODE
        $env:HOME = "$folder"
        $dll = "$TestDrive/packages/microsoft.identity.client/$other/lib/net8.0/Microsoft.Identity.Client.dll"
        if ($restored -ne 0 -or -not (Test-Path $dll)) {
            if ($env:MCPSM_TEST_REQUIRE -eq '1') { throw "Microsoft.Identity.Client $other cannot be restored here." }
            Set-ItResult -Skipped -Because "Microsoft.Identity.Client $other cannot be restored here"
            return
        }
        $abstractions = Get-ChildItem "$TestDrive/packages/microsoft.identitymodel.abstractions" -Recurse -Filter *.dll |
            Where-Object FullName -Match 'net8.0|net6.0' | Select-Object -First 1
        $found = pwsh -NoProfile -NonInteractive -c @"
            [void][System.Reflection.Assembly]::LoadFrom('$abstractions')
            [void][System.Reflection.Assembly]::LoadFrom('$dll')
            [Microsoft.Identity.Client.PublicClientApplicationBuilder]::Create('a').Build().AppConfig.ClientId
            Import-Module '$manifest'
            (Get-McpAuthStatus my-api).State
            `$ours = [System.Runtime.Loader.AssemblyLoadContext]::All | Where-Object Name -EQ Mcpsm
            `$loaded = `$ours.LoadFromAssemblyName([System.Reflection.AssemblyName]'Microsoft.Identity.Client')
            "`$(`$loaded.GetName().Version -gt [version]'$other') `$([System.Runtime.Loader.AssemblyLoadContext]::GetLoadContext(`$loaded).Name)"
            [Microsoft.Identity.Client.PublicClientApplicationBuilder].Assembly.GetName().Version.ToString(3)
"@
        $found | Should -Be @('a', 'BearerToken', 'True Mcpsm', $other)
    }
}

Describe 'another Mcpsm in the same session' {
    It 'is refused with one error, and the loaded module keeps working: <Name>' -ForEach @(
        @{ Name = 'another version'; Version = '9.9.9'; Assemblies = 'McpSm.Loader.dll', 'McpSm.PowerShell.dll' }
        @{ Name = 'a build with the same loader'; Version = '0.1.0'; Assemblies = @('McpSm.PowerShell.dll') }
        @{ Name = 'a build with another core'; Version = '0.1.0'; Assemblies = @('dependencies/McpSm.Core.dll') }
        @{ Name = 'a build with another core, before the core is loaded'; Version = '0.1.0'; Assemblies = @('dependencies/McpSm.Core.dll'); Unused = $true }
        @{ Name = 'a build with other commands'; Version = '0.1.0'; Assemblies = @('dependencies/McpSm.Commands.dll') }
        @{ Name = 'another version after the module was removed'; Version = '9.9.9'; Assemblies = 'McpSm.Loader.dll', 'McpSm.PowerShell.dll'; Removed = $true }
    ) {
        $other = New-OtherBuild ($Name -replace '\W+', '-') $Assemblies $Version
        $output = pwsh -NoProfile -NonInteractive -c @"
            Import-Module '$manifest'
            $(if (-not $Unused) { '[void](mcpsm list)' })
            $(if ($Removed) { 'Remove-Module Mcpsm' })
            try { Import-Module '$other' -Force -ErrorAction Stop } catch { "`$_" }
            Import-Module '$manifest'
            (Get-McpServer my-api).Name
            @(Get-Module Mcpsm).Count
"@ 2>&1
        $output[0] | Should -Be ("Another Mcpsm is loaded in this session, from '$(Split-Path $manifest)'. " +
            "To use the one in '$(Split-Path $other)', start a new session.")
        $output[1..9] | Should -Be 'my-api', 1
    }

    It 'is refused if files of the loaded module are missing before they are loaded' {
        $gone = New-OtherBuild gone @() 0.1.0
        $copy = New-OtherBuild stays @() 0.1.0
        $output = pwsh -NoProfile -NonInteractive -c @"
            Import-Module '$gone'; Remove-Module Mcpsm
            Remove-Item -Recurse '$(Split-Path $gone)/dependencies'
            try { Import-Module '$copy' } catch { "`$_" }
"@ 2>&1
        $output | Should -Be ("Another Mcpsm is loaded in this session, from '$(Split-Path $gone)'. " +
            "To use the one in '$(Split-Path $copy)', start a new session.")
    }

    It 'is refused as an extension vault if it differs in <_>, and works if it is the same build' -ForEach @(
        'McpSm.PowerShell.dll', 'dependencies/McpSm.Core.dll', ''
    ) {
        $other = New-OtherBuild "vault-$($_ -replace '\W+', '-')" @($_ | Where-Object { $_ }) 9.9.9
        # SecretManagement loads the nested module without its parent and calls its functions.
        $output = pwsh -NoProfile -NonInteractive -c @"
            Import-Module '$manifest'
            [void](Get-McpAuthStatus)
            `$vault = Import-Module '$(Split-Path $other)/Mcpsm.Extension/Mcpsm.Extension.psd1' -PassThru
            foreach (`$i in 1, 2) { try { & `$vault { Test-SecretVault -VaultName v -AdditionalParameters @{} } } catch { "`$_" } }
            (Get-McpServer my-api).Name
"@ 2>&1
        $refusal = "Another Mcpsm is loaded in this session, from '$(Split-Path $manifest)'. To use the one in '$(Split-Path $other)', start a new session."
        $output | Should -Be $($_ ? @($refusal, $refusal, 'my-api') : @($true, $true, 'my-api'))
    }

    It 'is imported if it is the same build, from the same folder or a copy' {
        $copy = New-OtherBuild copy @() 9.9.9
        pwsh -NoProfile -NonInteractive -c @"
            Import-Module '$manifest'; Import-Module '$manifest' -Force; (Get-McpServer my-api).Name
            Remove-Module Mcpsm; Import-Module '$copy'; (Get-McpServer my-api).Name
"@ 2>&1 | Should -Be 'my-api', 'my-api'
    }
}
