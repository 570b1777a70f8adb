using System.Runtime.InteropServices;
using McpSm.Cli;
using McpSm.Commands;
using McpSm.Core.Files;

using var cancel = new CancellationTokenSource();
void Cancel(PosixSignalContext context)
{
    context.Cancel = true;
    cancel.Cancel();
}
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
var home = new Home();
try
{
    return await McpsmCommand.RunAsync(args, new SystemConsole(home), home, cancel.Token);
}
catch (IOException) when (Console.IsOutputRedirected)
{
    // Whoever read our output has gone ("mcpsm list | head -1"), and there is nobody to tell.
    return ExitCode.Done;
}
