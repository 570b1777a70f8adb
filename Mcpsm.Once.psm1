# The first of the nested modules: a process loads one build of an assembly, and refuses every other one with an error that
# says neither whose it is nor what to do. It compares all assemblies of Mcpsm, because two builds may differ in one of them alone.
# It looks the type up in its own assembly, because a type with a full name costs each import 5 ms.
$assemblies = [string].Assembly.GetType('System.AppDomain')::CurrentDomain.GetAssemblies()
$first = foreach ($assembly in $assemblies) { if ($assembly.FullName -match '^McpSm\.(Loader|PowerShell),') { $assembly; break } }
if (-not $first) { return }

$buildOf = {
    param($path)
    $file = [System.IO.File]::OpenRead($path)
    try {
        $reader = [System.Reflection.Metadata.PEReaderExtensions]::GetMetadataReader([System.Reflection.PortableExecutable.PEReader]::new($file))
        $reader.GetGuid($reader.GetModuleDefinition().Mvid)
    }
    finally { $file.Dispose() }
}
$folder = [System.IO.Path]::GetDirectoryName($first.Location)
foreach ($path in [System.IO.Directory]::GetFiles($PSScriptRoot, 'McpSm.*.dll', 'AllDirectories')) {
    # The session loads what it has not loaded yet from the folder of what it has.
    $theirs = $folder + $path.Substring($PSScriptRoot.Length)
    $loaded = foreach ($assembly in $assemblies) { if ($assembly.Location -eq $theirs) { $assembly; break } }
    if (-not $loaded -and $theirs -eq $path) { continue }
    $build = if ($loaded) { $loaded.ManifestModule.ModuleVersionId } elseif ([System.IO.File]::Exists($theirs)) { & $buildOf $theirs }
    if ((& $buildOf $path) -ne $build) {
        throw "Another Mcpsm is loaded in this session, from '$folder'. To use the one in '$PSScriptRoot', start a new session."
    }
}
