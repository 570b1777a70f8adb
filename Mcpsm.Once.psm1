# The first of the nested modules: a process loads one build of an assembly, and refuses every other one with an error that
# says neither whose it is nor what to do. The type is looked up in its own assembly, because one that is named by its full
# name costs each import 5 ms.
foreach ($loaded in [string].Assembly.GetType('System.AppDomain')::CurrentDomain.GetAssemblies()) {
    $name = $loaded.FullName.Split(',')[0]
    if ($name -notin 'McpSm.Loader', 'McpSm.PowerShell') { continue }
    $file = [System.IO.File]::OpenRead("$PSScriptRoot/$name.dll")
    try {
        $reader = [System.Reflection.Metadata.PEReaderExtensions]::GetMetadataReader([System.Reflection.PortableExecutable.PEReader]::new($file))
        $build = $reader.GetGuid($reader.GetModuleDefinition().Mvid)
    }
    finally { $file.Dispose() }
    if ($build -ne $loaded.ManifestModule.ModuleVersionId) {
        throw "Another Mcpsm is loaded in this session, from '$([System.IO.Path]::GetDirectoryName($loaded.Location))'. To use the one in '$PSScriptRoot', start a new session."
    }
}
