# Fails with a clear message if the session has loaded another build of Mcpsm. A process can load only one build of an assembly, and the
# error of .NET names neither the module nor a remedy. All assemblies are compared, because two builds may differ in only one of them.
# AppDomain is looked up in its assembly, because PowerShell needs 5 ms to find a full type name.
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
    # The session loads further assemblies from the folder of those that it has loaded.
    $loadedPath = $folder + $path.Substring($PSScriptRoot.Length)
    $loaded = foreach ($assembly in $assemblies) { if ($assembly.Location -eq $loadedPath) { $assembly; break } }
    if (-not $loaded -and $loadedPath -eq $path) { continue }
    $build = if ($loaded) { $loaded.ManifestModule.ModuleVersionId } elseif ([System.IO.File]::Exists($loadedPath)) { & $buildOf $loadedPath }
    if ((& $buildOf $path) -ne $build) {
        throw "Another Mcpsm is loaded in this session, from '$folder'. To use the one in '$PSScriptRoot', start a new session."
    }
}
