#!/usr/bin/env pwsh
<#
.SYNOPSIS
    Runs the build for PowerShell users. It calls the same targets as the dotnet commands.
.EXAMPLE
    ./build.ps1 -Task Test
#>
[CmdletBinding()]
param(
    [ValidateSet('Build', 'Test', 'Package')]
    [string] $Task = 'Build',
    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Release'
)
$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot

function Invoke-DotNet {
    & dotnet @args
    if ($LASTEXITCODE -ne 0) { throw "dotnet $($args[0]) failed with exit code $LASTEXITCODE." }
}

switch ($Task) {
    'Build' { Invoke-DotNet build --configuration $Configuration }
    'Test' { Invoke-DotNet test --configuration $Configuration }
    'Package' { Invoke-DotNet msbuild build/Package.proj -nologo -v:minimal "-p:Configuration=$Configuration" }
}
