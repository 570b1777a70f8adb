#Requires -Version 7.6
#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '6.0' }

# Runs every PowerShell example of the documentation against the sample server. Only addresses and paths are replaced, all in
# Resolve-Example. (CmdletHelpTests run the examples of the cmdlet pages in process too, and check what each changes.)

BeforeDiscovery {
    $root = Resolve-Path "$PSScriptRoot/../.."
    # Patterns of the examples that cannot run here, with the reason. CmdletHelpTests run those of the cmdlet pages with a stand-in for
    # what is missing.
    $script:cannotRun = [ordered]@{
        'Import-Module \./out/Mcpsm'                         = 'imports the module that these tests have loaded'
        'Register-SecretVault|secretmanagement:|Get-Secret ' = 'needs a registered vault of Microsoft.PowerShell.SecretManagement'
        '-UseDeviceCode|-NoBrowser'                          = 'needs a person with a browser elsewhere'
        '-AssertionFile'                                     = 'needs a platform that signs assertions for its workloads'
        '-ClientCredential'                                  = 'needs a pre-registered client'
        'McpIdentityProvider|login\.example\.com'            = 'needs an identity provider of an organisation'
        '-CommandType Application'                           = 'needs the native command on PATH'
        'Read-Host|^Set-McpToken other-api$'                 = 'needs a person who types'
    }
    $pages = @("$root/README.md") + (Get-ChildItem "$root/docs/*.md", "$root/docs/en-US/*.md").FullName
    $leftOut = @()
    $script:examples = foreach ($page in $pages) {
        $text = (Get-Content $page -Raw) -replace "`r"
        $blocks = @([regex]::Matches($text, '(?ms)^```powershell\n(.*?)^```') | ForEach-Object { $_.Groups[1].Value })
        # A transcript is one example: the text after each prompt.
        $blocks += @([regex]::Matches($text, '(?ms)^```console\n(.*?)^```') | ForEach-Object {
                (@($_.Groups[1].Value -split "\n" | Where-Object { $_ -match '^PS> ' }) -replace '^PS> ') -join "`n" } | Where-Object { $_ })
        for ($i = 0; $i -lt $blocks.Count; $i++) {
            $code = $blocks[$i].TrimEnd()
            if ($cannotRun.Keys | Where-Object { $code -match $_ }) { $leftOut += $code; continue }
            @{ Page = [System.IO.Path]::GetFileName($page); Number = $i + 1; Code = $code }
        }
    }
    $script:unused = @($cannotRun.Keys | Where-Object { -not ($leftOut -match $_) })
}

BeforeAll {
    . "$PSScriptRoot/Sample.ps1"
    $env:MCPSM_CALLBACK_PORT = '0'
    $env:MY_TOKEN = $env:MCP_TOKEN = 'from-variable'

    # Replaces the address of the server and the folder. Nothing else of an example is changed.
    function Resolve-Example([string] $Code) {
        $Code.Replace('https://example.com/mcp', $url) -replace 'http://127\.0\.0\.1:41059/mcp', $url -replace '/data/mcpsm', "$folder/data"
    }

    # Each example starts from the same state: one server with a sign-in and one with a token.
    function Reset-Servers([string] $Code) {
        Remove-Item -Recurse -Force $env:MCPSM_CONFIG_DIR -ErrorAction Ignore
        Add-McpServer other-api https://other.example/mcp | Out-Null
        Set-McpToken other-api (ConvertTo-SecureString of-other-api -AsPlainText)
        # A server whose token the npm tool keeps in plaintext.
        Add-McpServer plain https://plain.example/mcp | Out-Null
        $config = "$env:MCPSM_CONFIG_DIR/config.json"
        (Get-Content $config -Raw).Replace('https://plain.example/mcp"', 'https://plain.example/mcp", "bearerToken": "in-plaintext"') |
            Set-Content $config -NoNewline
        if ($Code -notmatch 'Add-McpServer my-api') {
            Add-McpServer my-api $url | Out-Null
            Connect-McpServer my-api 6>$null | Out-Null
        }
    }
    Import-Module $manifest
}

AfterAll {
    Remove-Module Mcpsm
    $env:MCPSM_CALLBACK_PORT = $env:MY_TOKEN = $env:MCP_TOKEN = $null
    Stop-Sample
}

Describe 'the examples' {
    It '<number> of <page> runs unchanged' -ForEach $examples {
        Reset-Servers $code
        $Error.Clear()
        $ErrorActionPreference = 'Continue'
        $output = & ([scriptblock]::Create((Resolve-Example $code))) 2>&1 3>$null 6>$null
        $failures = @($output | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] -and $_.FullyQualifiedErrorId -notlike 'NativeCommandError*' })
        $failures | Should -BeNullOrEmpty -Because $code
        if ($code -match 'Invoke-RestMethod') {
            ($output | Out-String) + ($output | ConvertTo-Json -Depth 9) | Should -Match 'sample-server'
        }
    }

    It 'are all found, and every reason for a skipped one is used' -ForEach @{ Count = $examples.Count; Unused = $unused } {
        $count | Should -BeGreaterThan 30
        $unused | Should -BeNullOrEmpty
    }
}
