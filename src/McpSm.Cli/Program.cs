using McpSm.Cli;
using McpSm.Commands;
using McpSm.Commands.Remedies;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;

// Set before the first file is opened. Without file locks, two processes could use the same refresh token.
#pragma warning disable RS0030 // .NET reads the variable in this process.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_IO_DISABLEFILELOCKING", null);
#pragma warning restore RS0030
// Called before anything opens a file, which would get the descriptor of a closed standard stream.
StandardStreams.Open();
#if !DEBUG
CoreDumps.Disable();
#endif
FileSizeSignal.Handle();
var environment = new AppEnvironment { Remedies = CliRemedyFormatter.Instance };
var console = new SystemConsole(environment);
using var signals = new Signals(environment.Exchanges, () => console.IsRelay);
try
{
    var code = await McpsmCommand.RunAsync(args, console, environment, signals.Token).ConfigureAwait(false);
    console.FinishLog();
    // A signal ends a relay as the end of its input does.
    return signals.HasReceived && !console.IsRelay ? ExitCode.Cancelled : code;
}
// .NET reports a file beyond the size limit (ulimit -f) as an argument that is out of range.
catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException { ParamName: "value" })
{
    // Output was lost, for example because the disk is full. The exit code must tell a script that this is not an empty result.
    // A closed pipe ("mcpsm list | head -1") does not get here: .NET ignores it.
    try
    {
        Console.Error.WriteLine($"✘ Reading or writing failed: {UntrustedText.Sanitize(e.Message).TrimEnd('.')}.");
    }
    catch (Exception again) when (again is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
    {
        // Standard error may be on the same full disk. The exit code reports the failure.
    }
    return ExitCode.Failed;
}
