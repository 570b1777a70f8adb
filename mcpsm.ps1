<#
.FORWARDHELPTARGETNAME Invoke-Mcpsm
.FORWARDHELPCATEGORY Function
#>

# `mcpsm` in a session. A script, because its exit code sets $? like that of a native command, and because it sees the preference variables
# of its caller, which a function of a module does not. Without CmdletBinding, because that would reserve -v and -o.
$mcpsm = [System.Management.Automation.CmdletInfo]::new('Invoke-McpsmCommandLine', [McpSm.PowerShell.Cmdlets.InvokeMcpsmCommandLineCommand])
# $ErrorActionPreference does not affect the standard error of a native command.
if ($MyInvocation.ExpectingInput) { & $mcpsm -ArgumentList $args -InputObject @($input) -ErrorAction Continue }
else { & $mcpsm -ArgumentList $args -ErrorAction Continue }
if ($LASTEXITCODE -ne 0) { & $mcpsm -Failed }
exit $LASTEXITCODE
