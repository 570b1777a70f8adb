# Discovers or runs files of Pester tests, and writes one JSON line for each test to a file.
param([string[]] $Path, [string] $ResultPath, [switch] $DiscoverOnly)

$ErrorActionPreference = 'Stop'
Import-Module Pester

# The name with the values of -ForEach. Pester itself inserts them only when the test runs.
function Get-TestName($Test) {
    $name = $Test.Path -join ' '
    for ($item = $Test; $item -and $item.PSObject.Properties['Data']; $item = $item.PSObject.Properties['Block'] ? $item.Block : $item.Parent) {
        if ($item.Data -is [System.Collections.IDictionary]) {
            foreach ($key in $item.Data.Keys) { $name = $name.Replace("<$key>", "$($item.Data[$key])", [System.StringComparison]::OrdinalIgnoreCase) }
        }
        elseif ($null -ne $item.Data) { $name = $name.Replace('<_>', "$($item.Data)") }
    }
    $name
}

function Get-ErrorText($Records) {
    @($Records | Where-Object { $_ } | ForEach-Object { ("$_" + "`n" + @($_.ScriptStackTrace -split "`n")[0]).Trim() })
}

$configuration = New-PesterConfiguration
$configuration.Run.Path = $Path
$configuration.Run.PassThru = $true
$configuration.Run.SkipRun = [bool] $DiscoverOnly
$configuration.Output.Verbosity = 'None'
$result = Invoke-Pester -Configuration $configuration

$lines = foreach ($test in $result.Tests) {
    $tags = @($test.Tag) + @(for ($block = $test.Block; $block; $block = $block.Parent) { $block.Tag }) | Where-Object { $_ } | Select-Object -Unique
    [ordered] @{
        file     = [System.IO.Path]::GetFileName($test.ScriptBlock.File)
        name     = Get-TestName $test
        result   = "$($test.Result)"
        tags     = @($tags)
        messages = @(Get-ErrorText $test.ErrorRecord)
    } | ConvertTo-Json -Compress
}
# Report a file or block that fails outside its tests, for example in BeforeAll.
$outside = foreach ($container in $result.Containers) {
    Get-ErrorText $container.ErrorRecord
    $blocks = [System.Collections.Generic.Queue[object]]::new(@($container.Blocks))
    while ($blocks.Count) {
        $block = $blocks.Dequeue()
        Get-ErrorText $block.ErrorRecord
        foreach ($inner in $block.Blocks) { $blocks.Enqueue($inner) }
    }
}
$lines = @($lines) + ([ordered] @{ outside = @($outside) } | ConvertTo-Json -Compress)
[System.IO.File]::WriteAllLines($ResultPath, [string[]] $lines)
