# Dot-sourced in BeforeAll. Sets $manifest to the built module, starts the sample server at $url with an issuer that approves every
# request, and sets an environment that leaves the files of the current user alone. Stop-Sample ends the server.

$root = Resolve-Path "$PSScriptRoot/../.."
$version = ([xml](Get-Content "$root/Directory.Build.props" -Raw)).SelectSingleNode('//VersionPrefix').InnerText
$manifest = "$root/out/Mcpsm/$version/Mcpsm.psd1"
# Not on the TestDrive: Pester empties it after every Describe.
$folder = New-Item -ItemType Directory "$([System.IO.Path]::GetTempPath())/mcpsm-pester-$(New-Guid)"
$before = @{}
$variables = 'HOME', 'MCPSM_CONFIG_DIR', 'MCP_MANAGER_CONFIG_DIR', 'MCPSM_INTERACTIVE', 'MCPSM_VAULT', 'MCPSM_VAULT_PASSPHRASE',
    'BROWSER', 'CI', 'NO_COLOR', 'DBUS_SESSION_BUS_ADDRESS', 'XDG_RUNTIME_DIR'
foreach ($name in $variables) {
    $before[$name] = [Environment]::GetEnvironmentVariable($name)
    [Environment]::SetEnvironmentVariable($name, $name -eq 'HOME' ? "$folder" : $null)
}
$env:MCPSM_CONFIG_DIR = "$folder/config"
$env:MCPSM_INTERACTIVE = '1'
$env:MCPSM_VAULT = 'file'
function Get-SampleAssembly($Name) {
    Get-ChildItem "$root/samples/$Name/bin" -Recurse -Filter "$Name.dll" | Where-Object FullName -NotMatch '[\\/]ref[\\/]' |
        Sort-Object LastWriteTime | Select-Object -Last 1
}
# Follows redirects like a browser. The issuer approves every request.
$env:BROWSER = "dotnet `"$(Get-SampleAssembly Quickstart)`" --browse %s"
$program = Get-SampleAssembly ProtectedServer
$start = [System.Diagnostics.ProcessStartInfo]::new('dotnet')
$start.ArgumentList.Add($program.FullName)
$start.ArgumentList.Add('--auto-approve')
$start.RedirectStandardOutput = $true
$server = [System.Diagnostics.Process]::Start($start)
$url = $null
while (-not $url -and $null -ne ($line = $server.StandardOutput.ReadLine())) {
    if ($line -match '(http://127\.0\.0\.1:\d+/mcp)') { $url = $Matches[1] }
}

function Stop-Sample {
    $server.Kill($true)
    $server.WaitForExit()
    Remove-Item -Recurse -Force $folder
    foreach ($name in $before.Keys) { [Environment]::SetEnvironmentVariable($name, $before[$name]) }
}

function Get-FolderHash {
    Get-ChildItem $env:MCPSM_CONFIG_DIR -File -Recurse | Get-FileHash | ForEach-Object { "$($_.Path) $($_.Hash)" }
}

function Get-FreePort {
    $listener = [System.Net.Sockets.TcpListener]::new([System.Net.IPAddress]::Loopback, 0)
    $listener.Start()
    $listener.LocalEndpoint.Port
    $listener.Stop()
}

# Copies the module, changes the build id of the named assemblies, and returns the path of the manifest.
function New-OtherBuild([string] $Name, [string[]] $Assemblies, [string] $Version) {
    $other = "$TestDrive/$Name/Mcpsm/$Version"
    New-Item -ItemType Directory (Split-Path $other) -Force | Out-Null
    Copy-Item (Split-Path $manifest) $other -Recurse
    (Get-Content "$other/Mcpsm.psd1" -Raw) -replace "ModuleVersion( +)= '[^']+'", "ModuleVersion`$1= '$Version'" | Set-Content "$other/Mcpsm.psd1"
    foreach ($assembly in $Assemblies) {
        $bytes = [System.IO.File]::ReadAllBytes("$other/$assembly")
        $reader = [System.Reflection.Metadata.PEReaderExtensions]::GetMetadataReader(
            [System.Reflection.PortableExecutable.PEReader]::new([System.IO.MemoryStream]::new($bytes)))
        $id = $reader.GetGuid($reader.GetModuleDefinition().Mvid).ToByteArray()
        $at = [System.Text.Encoding]::Latin1.GetString($bytes).IndexOf([System.Text.Encoding]::Latin1.GetString($id), [System.StringComparison]::Ordinal)
        $bytes[$at] = $bytes[$at] -bxor 255
        [System.IO.File]::WriteAllBytes("$other/$assembly", $bytes)
    }
    "$other/Mcpsm.psd1"
}
