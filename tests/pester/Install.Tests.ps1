#Requires -Version 7.6
#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '6.0' }

# The module as users install it, each time into an empty home. MCPSM_TEST_PACKAGES names the folder that build/Package.proj fills.

BeforeAll {
    . "$PSScriptRoot/Sample.ps1"
    $env:MCPSM_CONFIG_DIR = $null

    # A repository is a folder with packages. The second repository also has a later version of the module.
    $first = "$folder/first"
    $second = "$folder/second"
    $later = "$version.1"
    if ($env:MCPSM_TEST_PACKAGES) {
        $package = Get-ChildItem "$env:MCPSM_TEST_PACKAGES/module/Mcpsm.*.nupkg"
        New-Item -ItemType Directory $first, $second | Out-Null
        foreach ($repository in $first, $second) { Copy-Item $package $repository }
        $laterVersion = [version] $version
        $later = "$($laterVersion.Major).$($laterVersion.Minor).$($laterVersion.Build + 1)"
        $copy = Copy-Item $package "$second/Mcpsm.$later.nupkg" -PassThru
        $zip = [System.IO.Compression.ZipFile]::Open($copy, 'Update')
        foreach ($name in 'Mcpsm.nuspec', 'Mcpsm.psd1') {
            $entry = $zip.GetEntry($name)
            $reader = [System.IO.StreamReader]::new($entry.Open())
            $text = $reader.ReadToEnd().Replace("<version>$version</version>", "<version>$later</version>").Replace("'$version'", "'$later'")
            $reader.Dispose()
            $entry.Delete()
            $writer = [System.IO.StreamWriter]::new($zip.CreateEntry($name).Open())
            $writer.Write($text)
            $writer.Dispose()
        }
        $zip.Dispose()
    }

    # Runs a new pwsh in the empty home of this test and returns its output, including errors and warnings.
    function Invoke-InEmptyHome([string] $Script) {
        pwsh -NoProfile -NonInteractive -c @"
            `$ErrorActionPreference = 'Stop'; `$InformationPreference = 'Ignore'; `$ProgressPreference = 'SilentlyContinue'
            `$first = '$first'; `$second = '$second'; `$later = '$later'; `$url = '$url'
            function Use-Module {
                Add-McpServer my-api `$url | Out-Null
                (Connect-McpServer my-api -CallbackPort 0 6>`$null).State
                (Test-McpServer my-api).Success
                Remove-McpServer my-api -Force
            }
            $Script
"@ *>&1 | ForEach-Object { "$_" }
    }
}

AfterAll { Stop-Sample }

Describe 'the package in an empty home' {
    BeforeEach {
        if (-not $env:MCPSM_TEST_PACKAGES) {
            Set-ItResult -Skipped -Because 'MCPSM_TEST_PACKAGES does not name a folder with the output of `dotnet msbuild build/Package.proj`'
            return
        }
        $env:HOME = $env:USERPROFILE = "$folder/$(New-Guid)"
        New-Item -ItemType Directory $env:HOME | Out-Null
        # pwsh adds the modules of the home folder only if the variable is not set.
        $env:PSModulePath = $null
    }

    It 'installs with Install-PSResource, signs in and tests' {
        Invoke-InEmptyHome @'
            Register-PSResourceRepository -Name Made -Uri $first -Trusted
            Install-PSResource Mcpsm -Repository Made
            Use-Module
            (Get-Module Mcpsm).Version -eq (Get-InstalledPSResource Mcpsm).Version
'@ | Should -Be @('Authenticated', 'True', 'True')
    }

    It 'installs with Install-Module of PowerShellGet 2, signs in and tests' {
        Invoke-InEmptyHome @'
            Import-Module PowerShellGet -MaximumVersion 2.99
            Register-PSRepository -Name Made -SourceLocation $first -InstallationPolicy Trusted
            Install-Module Mcpsm -Repository Made -Scope CurrentUser
            Use-Module
'@ | Should -Be @('Authenticated', 'True')
    }

    It 'is saved with Save-PSResource and works from that folder' {
        Invoke-InEmptyHome @'
            Register-PSResourceRepository -Name Made -Uri $first -Trusted
            Save-PSResource Mcpsm -Repository Made -Path (New-Item -ItemType Directory $HOME/saved)
            Import-Module (Get-ChildItem $HOME/saved/Mcpsm/*/Mcpsm.psd1)
            Use-Module
'@ | Should -Be @('Authenticated', 'True')
    }

    It 'is updated in a running session, which keeps the version that it loaded' {
        Invoke-InEmptyHome @'
            Register-PSResourceRepository -Name Made -Uri $first -Trusted
            Install-PSResource Mcpsm -Repository Made
            Use-Module
            Set-PSResourceRepository Made -Uri $second
            Update-PSResource Mcpsm -Repository Made
            Use-Module
            pwsh -NoProfile -NonInteractive -c 'Import-Module Mcpsm; "$((Get-Module Mcpsm).Version)"; (Get-McpAuthStatus).Count'
            (Get-InstalledPSResource Mcpsm).Version.Count
'@ | Should -Be @('Authenticated', 'True', 'Authenticated', 'True', $later, '0', '2')
    }

    It 'has the description, tags and addresses of the manifest' {
        Invoke-InEmptyHome @'
            Register-PSResourceRepository -Name Made -Uri $first -Trusted
            $found = Find-PSResource Mcpsm -Repository Made
            Save-PSResource Mcpsm -Repository Made -Path (New-Item -ItemType Directory $HOME/saved)
            $manifest = Import-PowerShellDataFile (Get-ChildItem $HOME/saved/Mcpsm/*/Mcpsm.psd1)
            $found.Description -ceq $manifest.Description
            "$($found.ProjectUri)" -eq "$($manifest.PrivateData.PSData['ProjectUri'])"
            # This tag tells a gallery that the package is a module.
            @(Compare-Object $found.Tags $manifest.PrivateData.PSData.Tags -PassThru | Where-Object { $_ -ne 'PSModule' }).Count
'@ | Should -Be @('True', 'True', '0')
    }
}
