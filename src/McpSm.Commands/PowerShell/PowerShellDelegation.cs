using System.CommandLine;
using System.Diagnostics;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Proxy;
using McpSm.Commands.Output;
using McpSm.Core.Errors;
using McpSm.Core.Processes;
using McpSm.Core.Vaults;

namespace McpSm.Commands.PowerShell;

/// <summary>
/// Runs a command in pwsh if its credential is in a vault of SecretManagement, which only PowerShell can open. The index tells
/// which vault that is, so this is decided before the command has prompted, read or sent anything.
/// </summary>
public static class PowerShellDelegation
{
    /// <summary>Set in the environment of this pwsh. The module then writes messages to standard error.</summary>
    public const string Variable = "MCPSM_HANDED_OVER";

    // Arguments are separate from the script, so that PowerShell never parses them. If one is a secret, they come as one line of JSON
    // through standard input ("line") or a pipe ("pipe:<handle>"), because other users can see arguments.
    private const string Script = """
        try { Import-Module Mcpsm -ErrorAction Stop } catch { exit 127 }
        $how, $pipe = $env:MCPSM_HANDED_OVER -split ':'
        $words = $args
        $given = @(if ($how -ne '1') { $input })
        $line = $null
        if ($pipe) {
            $reader = [IO.StreamReader]::new([IO.Pipes.AnonymousPipeClientStream]::new('In', $pipe))
            try { $line = $reader.ReadToEnd() } finally { $reader.Dispose() }
        } elseif ($how -like 'line*') {
            $line = $given[0]
            $given = @($given | Select-Object -Skip 1)
        }
        if ($line) { $words = [Text.Json.JsonSerializer]::Deserialize[string[]]($line) }
        if ($how -like '*input') { $given | Invoke-Mcpsm @words } else { Invoke-Mcpsm @words }
        exit $LASTEXITCODE
        """;

    // For a command that needs the standard streams as bytes. A script with $input would make PowerShell read standard input.
    private const string StreamScript = """
        try { Import-Module Mcpsm -ErrorAction Stop } catch { exit 127 }
        $how, $pipe = $env:MCPSM_HANDED_OVER -split ':'
        $words = $args
        if ($pipe) {
            $reader = [IO.StreamReader]::new([IO.Pipes.AnonymousPipeClientStream]::new('In', $pipe))
            try { $words = [Text.Json.JsonSerializer]::Deserialize[string[]]($reader.ReadToEnd()) } finally { $reader.Dispose() }
        }
        Invoke-Mcpsm @words
        exit $LASTEXITCODE
        """;

    // The exit code of the script if it cannot import the module.
    private const int NoModule = 127;

    /// <summary>Returns whether the command will use a vault that only PowerShell can open.</summary>
    internal static bool IsNeeded(ParseResult parsed)
    {
        try
        {
            return parsed.CommandResult.Command is McpsmSubcommand command && command.FindVaults(parsed).Any(VaultSelector.IsOfSecretManagement);
        }
        catch (McpAuthException)
        {
            // A file is damaged. The command itself reports that.
            return false;
        }
    }

    /// <summary>Runs the command in pwsh.</summary>
    /// <returns>
    /// The exit code of pwsh. Null if pwsh or the module is missing and the user named a vault that does not need it: the command can
    /// run in this process, and old credentials stay in the vault of SecretManagement.
    /// </returns>
    /// <exception cref="McpAuthException">VaultUnavailable: pwsh or the module is missing.</exception>
    internal static async Task<int?> RunAsync(ParseResult parsed, IReadOnlyList<string> arguments, CommandContext context, CancellationToken cancellationToken)
    {
        var canRunHere = VaultOption.Read(parsed) is { } vault && !VaultSelector.IsOfSecretManagement(vault);
        var isTerminal = context.Console.IsInputTerminal;
        var needsStreams = parsed.CommandResult.Command is McpsmSubcommand { NeedsStandardStreams: true };
        // Also --token=- and --header name=-.
        var hasDash = arguments.Any(a => a == "-" || a.EndsWith("=-", StringComparison.Ordinal) || a.EndsWith(":-", StringComparison.Ordinal));
        var readsInput = !needsStreams
            && (hasDash || (!isTerminal && parsed.CommandResult.Command is McpsmSubcommand { ReadsStandardInput: true }));
        var hasSecret = SecretArguments.Contains(parsed);
        using var line = !hasSecret ? null : new DelegatedCommandLine(arguments, byPipe: isTerminal || needsStreams);
        Process pwsh;
        try
        {
            pwsh = new ProgramStarter(context.AppEnvironment).StartTrusted("pwsh",
                ["-NoProfile", "-NoLogo", "-CommandWithArgs", needsStreams ? StreamScript : Script, .. hasSecret ? [] : arguments], start =>
                {
                    // Without the redirect, pwsh would wait for the end of an input that is not for it. It needs a terminal for prompts.
                    start.RedirectStandardInput = !isTerminal && !needsStreams && (hasSecret || !readsInput);
                    // This process handles what a relay says.
                    start.Environment.Remove(DetachedRun.Variable);
                    start.Environment[Variable] = line?.Mode(readsInput) ?? (readsInput ? "input" : "1");
                });
        }
        catch (ProgramNotStartedException e)
        {
            return canRunHere ? null : throw Failure($"but pwsh {e.Message}",
                "Install PowerShell 7.6 and the module Mcpsm, or store the credential in another vault with --vault file.");
        }
        using (pwsh)
        {
            // The command may spend a refresh token in pwsh, which is not visible here: protect the whole run.
            using var exchange = context.AppEnvironment.Exchanges.Prepare(cancellationToken);
            try
            {
                exchange.Begin();
                var sending = SendAsync(pwsh, line, readsInput ? context.Console : null, cancellationToken);
                await pwsh.WaitForExitAsync(exchange.Token).ConfigureAwait(false);
                // Do not wait for input that pwsh no longer reads. If sending has failed, this throws.
                await (sending.IsCompleted ? sending : Task.CompletedTask).ConfigureAwait(false);
            }
            finally
            {
                if (!pwsh.HasExited)
                {
                    pwsh.Kill(entireProcessTree: true);
                }
            }
            return pwsh.ExitCode != NoModule ? pwsh.ExitCode
                : canRunHere ? null : throw Failure("but pwsh does not find the module Mcpsm", "Install-PSResource Mcpsm");
        }
    }

    /// <summary>Sends the hidden command line to pwsh, followed by the standard input.</summary>
    /// <param name="pwsh">The process.</param>
    /// <param name="line">The command line; null if pwsh has it as arguments.</param>
    /// <param name="console">The console whose input the command reads; null if the command does not read its input.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    private static async Task SendAsync(Process pwsh, DelegatedCommandLine? line, ICommandConsole? console, CancellationToken cancellationToken)
    {
        try
        {
            if (!pwsh.StartInfo.RedirectStandardInput)
            {
                await (line?.SendAsync(null, cancellationToken) ?? Task.CompletedTask).ConfigureAwait(false);
                return;
            }
            var input = pwsh.StandardInput.BaseStream;
            await using (input.ConfigureAwait(false))
            {
                if (line is not null)
                {
                    await line.SendAsync(input, cancellationToken).ConfigureAwait(false);
                    if (console?.OpenStandardStreams() is var (standardInput, _))
                    {
                        await standardInput.CopyToAsync(input, cancellationToken).ConfigureAwait(false);
                    }
                }
            }
        }
        catch (IOException)
        {
            // pwsh ended without reading. Its exit code says why.
        }
    }

    private static McpAuthException Failure(string cause, string remedy) => new(ErrorReason.VaultUnavailable,
        $"The credential is in a SecretManagement vault, which only PowerShell can open, {cause}.", remedy);
}
