# Assigned to, and not with Set-Alias: that would load a module of PowerShell's own for it.
${alias:mcpsm} = "$PSScriptRoot/mcpsm.ps1"
# Made from text, a function belongs to no module, so it sees its caller's preference variables.
$path = $PSScriptRoot.Replace("'", "''") + '/mcpsm.ps1'
${function:Invoke-Mcpsm} = [scriptblock]::Create(@"
    # .EXTERNALHELP McpSm.PowerShell.dll-Help.xml
    if (`$MyInvocation.ExpectingInput) { `$input | & '$path' @args } else { & '$path' @args }
"@)
. "$PSScriptRoot/Mcpsm.completion.ps1"
Export-ModuleMember -Cmdlet * -Function Invoke-Mcpsm -Alias mcpsm
