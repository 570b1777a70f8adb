#Requires -Version 7.6
#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '6.0' }

# `mcpsm` in a session behaves like a native command: each test compares it with a native program that writes the same lines.

BeforeDiscovery {
    $script:hasShell = -not $IsWindows
}

BeforeAll {
    . "$PSScriptRoot/Sample.ps1"
    Import-Module $manifest
    mcpsm add my-api --type http --url $url | Out-Null
    # The native program: two lines on standard error and exit code 1.
    $failure = mcpsm auth token nosuch 2>&1 | ForEach-Object { "$_" }
    Set-Content "$folder/fail.sh" "printf '%s\n' '$($failure[0] -replace "'", "'\''")' '$($failure[1])' >&2; exit 1"
    function Invoke-Both([string] $Script) {
        & ([scriptblock]::Create($Script.Replace('FAIL', 'mcpsm auth token nosuch')))
        '---'
        & ([scriptblock]::Create($Script.Replace('FAIL', "sh '$folder/fail.sh'")))
    }
    function Assert-Same([string] $Script) {
        $both = (Invoke-Both $Script | ForEach-Object { "$_".TrimEnd() }) -join "`n"
        $ours, $native = $both -split "(?m)^---\n?"
        $ours.TrimEnd() | Should -Be $native.TrimEnd()
        $ours | Should -Match '\w'
    }
}

AfterAll {
    Remove-Module Mcpsm
    Stop-Sample
}

Describe 'mcpsm behaves like a native command' -Skip:(-not $hasShell) {
    It '<_>' -ForEach @(
        'FAIL 2>$null; "$? $LASTEXITCODE"'
        'FAIL 2>&1 | ForEach-Object { "$($_.FullyQualifiedErrorId)|$($_.Exception.GetType())|$($_.Exception.Message)|$_" }'
        '$all = FAIL 2>&1; $all.Count; $all[0] -is [System.Management.Automation.ErrorRecord]'
        'FAIL 2> "$TestDrive/e"; Get-Content "$TestDrive/e"'
        '$e = FAIL 2>&1 | Out-String; $e'
        'FAIL 2>$null && "and"; FAIL 2>$null || "or"'
        '$Error.Clear(); FAIL 2>$null; $Error.Count'
        '$ErrorActionPreference = "Stop"; FAIL 2>$null; "went on"'
        '$ErrorActionPreference = "Stop"; $PSNativeCommandUseErrorActionPreference = $true
            try { FAIL 2>$null } catch { "$($_.FullyQualifiedErrorId) $LASTEXITCODE" }'
        '$ErrorActionPreference = "SilentlyContinue"; $PSNativeCommandUseErrorActionPreference = $true; FAIL 2>$null; "$? went on"'
        '$x = $(FAIL 2>$null); "[$x] $LASTEXITCODE"'
        'FAIL 2>$null | ForEach-Object { "one" }; "$LASTEXITCODE"'
    ) {
        Assert-Same $_
    }

    It 'shows the lines of a failure as plain text on standard error' {
        $run = "Import-Module '$manifest'; mcpsm auth token nosuch"
        $shown = sh -c 'NO_COLOR=1 pwsh -NoProfile -NonInteractive -c "$1" 2>&1 >/dev/null' sh $run
        $shown | Should -Be $failure
    }

    It 'writes results and errors to separate streams' {
        mcpsm list 2>"$TestDrive/e" >"$TestDrive/o"
        Get-Content "$TestDrive/o" | Should -Match 'my-api'
        Get-Content "$TestDrive/e" | Should -BeNullOrEmpty
        $token = 'kept-token' | mcpsm auth set my-api -
        $token | Should -Match 'stored'
        $kept = $(mcpsm auth token my-api)
        $kept | Should -Be 'kept-token'
        mcpsm auth token my-api | sh -c 'cat' | Should -Be 'kept-token'
    }
}

Describe 'the colours of a result' {
    AfterEach {
        $PSStyle.OutputRendering = 'Host'
        $env:NO_COLOR = $null
    }

    It 'are shown but are not part of the text' {
        $escape = [char]27
        Set-McpServer my-api -Scope a | Out-Null
        $lines = mcpsm auth status
        $state = $lines -match '✔|✘'
        $state | Should -HaveCount 1
        "$lines" | Should -Not -Match $escape
        $lines | ForEach-Object { $_ | Should -BeOfType string }
        $lines | ConvertTo-Json | ConvertFrom-Json | Should -Be $lines
        $PSStyle.OutputRendering = 'Ansi'
        ($state | Out-String -Stream) -replace "$escape\[\d+m" | Should -Be $state
        $state | Out-String | Should -Match "$escape\[3[12]m(✔|✘)$escape\[0m "
        $env:NO_COLOR = '1'
        $state | Out-String -Stream | Should -Be $state
        $env:NO_COLOR = $null
        $PSStyle.OutputRendering = 'PlainText'
        $state | Out-String -Stream | Should -Be $state
    }

    It 'are not in a redirected output of <_>' -ForEach 'mcpsm auth status', 'mcpsm auth token nosuch' {
        $run = "Import-Module '$manifest'; $_"
        $shown = pwsh -NoProfile -NonInteractive -c $run 2>&1 | ForEach-Object { "$_" }
        $shown | Should -Not -BeNullOrEmpty
        $shown | Should -Not -Match ([char]27)
    }
}

Describe '$WhatIfPreference' {
    It 'keeps <_> from changing anything' -ForEach @(
        'mcpsm auth revoke my-api', 'mcpsm auth login my-api', 'mcpsm remove my-api --yes', 'mcpsm add other --type http --url https://other.example/mcp',
        'mcpsm server update my-api --scope a', 'mcpsm vault rekey --key-file', 'mcpsm import', "'t' | mcpsm auth set my-api -",
        'Invoke-Mcpsm auth revoke my-api'
    ) {
        $files = Get-FolderHash
        $output = pwsh -NoProfile -NonInteractive -c "Import-Module '$manifest'; function f { `$WhatIfPreference = `$true; $_ }; f"
        $output | Should -BeLike 'What if: *mcpsm *'
        Get-FolderHash | Should -Be $files
    }

    It 'lets commands that show something run' {
        $WhatIfPreference = $true
        mcpsm list | Should -Match 'my-api'
        (mcpsm auth status --json | ConvertFrom-Json).name | Should -Be 'my-api'
    }
}

Describe 'mcpsm proxy in a session' {
    It 'names the executable, which has standard streams of its own' {
        # Not -NonInteractive: a person could use this session.
        $errors = pwsh -NoProfile -Command "Import-Module '$manifest'; mcpsm proxy my-api" 2>&1
        "$errors" | Should -BeLike "*'mcpsm proxy' needs a process of its own*Start the executable 'mcpsm'*"
        "$errors" | Should -BeLike '*or: pwsh -NoProfile -NonInteractive -Command Invoke-Mcpsm proxy my-api'
        $LASTEXITCODE | Should -Not -Be 0
    }

    It 'relays over the streams of a pwsh that a program started, and writes nothing else to them' {
        mcpsm add relayed --type http --url $url | Out-Null
        $said = mcpsm auth login relayed --callback-port 0 2>&1
        $LASTEXITCODE | Should -Be 0 -Because "$said"
        $start = [System.Diagnostics.ProcessStartInfo]::new((Get-Process -Id $PID).Path)
        '-NoProfile', '-NonInteractive', '-Command', "Import-Module '$manifest'; Invoke-Mcpsm proxy relayed --verbose" |
            ForEach-Object { $start.ArgumentList.Add($_) }
        $start.RedirectStandardInput = $start.RedirectStandardOutput = $start.RedirectStandardError = $true
        $utf8 = [System.Text.UTF8Encoding]::new($false)
        $start.StandardInputEncoding = $start.StandardOutputEncoding = $utf8
        $relay = [System.Diagnostics.Process]::Start($start)
        try {
            $log = $relay.StandardError.ReadToEndAsync()
            $client = '"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}'
            $relay.StandardInput.WriteLine('{"jsonrpc":"2.0","id":"日本","method":"initialize","params":{' + $client + '}}')
            $answer = $relay.StandardOutput.ReadLine() | ConvertFrom-Json
            $answer.id | Should -Be '日本'
            $answer.error.message | Should -BeNullOrEmpty
            $answer.result.protocolVersion | Should -Be '2025-11-25'
            $relay.StandardInput.Close()
            $relay.StandardOutput.ReadToEnd() | Should -Be ''
            $relay.WaitForExit(20000) | Should -BeTrue
            $relay.ExitCode | Should -Be 0
            $log.Result | Should -Match 'POST /mcp: 200'
        } finally {
            if (-not $relay.HasExited) { $relay.Kill($true) }
            $relay.Dispose()
        }
    }
}
