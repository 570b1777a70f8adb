# Assigned to, and not with Set-Alias: that would load a module of PowerShell's own for it.
${alias:mcpsm} = "$PSScriptRoot/mcpsm.ps1"
# Made from text, a function belongs to no module, so it sees its caller's preference variables.
$path = $PSScriptRoot.Replace("'", "''") + '/mcpsm.ps1'
${function:Invoke-Mcpsm} = [scriptblock]::Create(@"
    # .EXTERNALHELP McpSm.PowerShell.dll-Help.xml
    if (`$MyInvocation.ExpectingInput) { `$input | & '$path' @args } else { & '$path' @args }
"@)
# Get-Help looks for the target of an alias by its file name, and would not find a script outside PATH. This private function has that
# name and leads Get-Help to the page; no command line finds it.
${function:global:mcpsm.ps1} = {
    # .FORWARDHELPTARGETNAME Invoke-Mcpsm
    # .FORWARDHELPCATEGORY Function
}
$ExecutionContext.SessionState.InvokeCommand.GetCommand('mcpsm.ps1', 'Function').Visibility = 'Private'
$ExecutionContext.SessionState.Module.OnRemove = { ${function:global:mcpsm.ps1} = $null }
. "$PSScriptRoot/Mcpsm.completion.ps1"
Export-ModuleMember -Cmdlet * -Function Invoke-Mcpsm -Alias mcpsm
