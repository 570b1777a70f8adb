# Not Set-Alias, which would load the module Microsoft.PowerShell.Utility.
${alias:mcpsm} = "$PSScriptRoot/mcpsm.ps1"
# A function that is created from text does not belong to the module, so it sees the preference variables of its caller.
$path = $PSScriptRoot.Replace("'", "''") + '/mcpsm.ps1'
${function:Invoke-Mcpsm} = [scriptblock]::Create(@"
    # .EXTERNALHELP McpSm.PowerShell.dll-Help.xml
    if (`$MyInvocation.ExpectingInput) { `$input | & '$path' @args } else { & '$path' @args }
"@)
# Get-Help looks up the target of an alias by its file name, and would not find a script outside PATH. This function has that name and
# forwards Get-Help to the page. It is private, so command lines do not find it.
${function:global:mcpsm.ps1} = {
    # .FORWARDHELPTARGETNAME Invoke-Mcpsm
    # .FORWARDHELPCATEGORY Function
}
$ExecutionContext.SessionState.InvokeCommand.GetCommand('mcpsm.ps1', 'Function').Visibility = 'Private'
$ExecutionContext.SessionState.Module.OnRemove = { ${function:global:mcpsm.ps1} = $null }
. "$PSScriptRoot/Mcpsm.completion.ps1"
Export-ModuleMember -Cmdlet * -Function Invoke-Mcpsm -Alias mcpsm
