# The loader comes first: the cmdlets' dependencies are found through it, apart from the session's own assemblies.
[void][System.Reflection.Assembly]::LoadFrom("$PSScriptRoot/McpSm.Loader.dll")
[McpSm.Loader.ModuleLoader]::Hook($PSScriptRoot)
Import-Module "$PSScriptRoot/McpSm.PowerShell.dll"

# A simple function over $args: an advanced one would take -v, -e and -o for its own common parameters.
function Invoke-Mcpsm {
    # .EXTERNALHELP McpSm.PowerShell.dll-Help.xml

    [Alias('mcpsm')]
    param()
    Invoke-McpsmCommandLine -ArgumentList $args -InputObject @($input)
}
. "$PSScriptRoot/Mcpsm.completion.ps1"

Export-ModuleMember -Cmdlet *-Mcp* -Function Invoke-Mcpsm -Alias mcpsm
