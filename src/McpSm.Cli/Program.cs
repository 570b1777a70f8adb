using McpSm.Cli;
using McpSm.Commands;
using McpSm.Commands.Remedies;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;

// Before the first file is opened: without locks two processes would spend one refresh token.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_IO_DISABLEFILELOCKING", null);
// Before anything else opens a file, which would get the number of a stream that is closed.
StandardStreams.Open();
#if !DEBUG
CoreDumps.Disable();
#endif
FileSizeSignal.Handle();
var environment = new AppEnvironment { Remedies = CliRemedyFormatter.Instance };
using var signals = new Signals(environment.Exchanges);
try
{
    var code = await McpsmCommand.RunAsync(args, new SystemConsole(environment), environment, signals.Token).ConfigureAwait(false);
    return signals.HaveCome ? ExitCode.Cancelled : code;
}
// .NET reports a file that would be larger than the process may write as an argument out of range.
catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException { ParamName: "value" })
{
    // Not that whoever read our output has gone ("mcpsm list | head -1"): .NET takes that as written. What comes here
    // is lost, to a full disk perhaps, and a script must not take it for an empty result.
    try
    {
        Console.Error.WriteLine($"✘ Reading or writing failed: {UntrustedText.Sanitize(e.Message).TrimEnd('.')}.");
    }
    catch (Exception lost) when (lost is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
    {
        // Standard error is on the same disk; the exit code still tells.
    }
    return ExitCode.Failed;
}
