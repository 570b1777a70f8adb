# A simple function over $args: an advanced one would take -v, -e and -o for its own common parameters.
function Invoke-Mcpsm {
    # .EXTERNALHELP McpSm.PowerShell.dll-Help.xml

    [Alias('mcpsm')]
    param()
    Invoke-McpsmCommandLine -ArgumentList $args -InputObject @($input)
}
. "$PSScriptRoot/Mcpsm.completion.ps1"
