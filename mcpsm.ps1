<#
.FORWARDHELPTARGETNAME Invoke-Mcpsm
.FORWARDHELPCATEGORY Function
#>

# `mcpsm` in a session. It is a script because a script's exit status sets $?, as a native command's does, and because it sees its
# caller's preference variables, which a function of a module does not. It is not an advanced one, which would take -v and -o for itself.
$mcpsm = [System.Management.Automation.CmdletInfo]::new('Invoke-McpsmCommandLine', [McpSm.PowerShell.Cmdlets.InvokeMcpsmCommandLineCommand])
# What a native command writes to standard error is no PowerShell error: $ErrorActionPreference does not concern it.
if ($MyInvocation.ExpectingInput) { & $mcpsm -ArgumentList $args -InputObject @($input) -ErrorAction Continue }
else { & $mcpsm -ArgumentList $args -ErrorAction Continue }
if ($LASTEXITCODE -ne 0) { & $mcpsm -Failed }
exit $LASTEXITCODE
