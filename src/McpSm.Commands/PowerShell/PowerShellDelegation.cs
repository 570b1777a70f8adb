using System.CommandLine;
using System.Diagnostics;
using McpSm.Commands.CommandLine;
using McpSm.Core.Errors;
using McpSm.Core.Processes;
using McpSm.Core.Vaults;

namespace McpSm.Commands.PowerShell;

/// <summary>
/// Hands a command to pwsh whose credential is in a vault of SecretManagement, which only PowerShell can open. That is
/// known from the facts before the command starts: nothing was asked, read or sent yet.
/// </summary>
public static class PowerShellDelegation
{
    /// <summary>Set for the pwsh that a command was handed to: its words for people go to standard error.</summary>
    public const string Variable = "MCPSM_HANDED_OVER";

    // Arguments come apart from the script, so that nothing in them is ever read as PowerShell. With a secret among them they come
    // as one line of JSON, through standard input ("line") or a pipe of that number, since arguments are visible to other users.
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

    private const int NoModule = 127;

    internal static bool IsNeeded(ParseResult parsed)
    {
        try
        {
            return parsed.CommandResult.Command is McpsmSubcommand command && command.FindVaults(parsed).Any(VaultSelector.IsOfSecretManagement);
        }
        catch (McpAuthException)
        {
            // Damaged files: the command itself reports them.
            return false;
        }
    }

    /// <returns>The exit code; null where pwsh cannot do it and the vault that was named can do without: what is elsewhere then stays there.</returns>
    /// <exception cref="McpAuthException">VaultUnavailable.</exception>
    internal static async Task<int?> RunAsync(ParseResult parsed, IReadOnlyList<string> arguments, CommandContext context, CancellationToken cancellationToken)
    {
        var canDoWithout = VaultOption.Read(parsed) is { } asked && !VaultSelector.IsOfSecretManagement(asked);
        // Also --token=- and --header name=-.
        var isTerminal = context.Console.IsInputTerminal;
        var readsInput = arguments.Any(a => a == "-" || a.EndsWith("=-", StringComparison.Ordinal) || a.EndsWith(":-", StringComparison.Ordinal))
            || (!isTerminal && parsed.CommandResult.Command is McpsmSubcommand { ReadsStandardInput: true });
        var hasSecret = SecretArguments.Contains(parsed);
        using var line = !hasSecret ? null : new DelegatedCommandLine(arguments, byPipe: isTerminal);
        Process pwsh;
        try
        {
            pwsh = new ProgramStarter(context.AppEnvironment).StartTrusted("pwsh",
                ["-NoProfile", "-NoLogo", "-CommandWithArgs", Script, .. hasSecret ? [] : arguments], start =>
                {
                    // Nobody may wait for the end of an input that is not theirs; a terminal is theirs, for prompts.
                    start.RedirectStandardInput = !isTerminal && (hasSecret || !readsInput);
                    start.Environment[Variable] = line?.Mode(readsInput) ?? (readsInput ? "input" : "1");
                });
        }
        catch (ProgramNotStartedException e)
        {
            return canDoWithout ? null : throw Failure($"and pwsh {e.Message}",
                "Install PowerShell 7.6 and its module Mcpsm, or keep the credential elsewhere with --vault file");
        }
        using (pwsh)
        {
            // What goes on there may be an exchange, which cannot be seen from here.
            using var exchange = context.AppEnvironment.Exchanges.Prepare(cancellationToken);
            try
            {
                exchange.Begin();
                var sending = SendAsync(pwsh, line, readsInput, cancellationToken);
                await pwsh.WaitForExitAsync(exchange.Token).ConfigureAwait(false);
                // Input that nobody reads any more is not waited for; what went wrong before is told.
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
                : canDoWithout ? null : throw Failure("and pwsh does not find the module Mcpsm", "Install-PSResource Mcpsm");
        }
    }

    /// <summary>Gives pwsh the command line that its arguments do not show, and after it what is piped to us, if that is read.</summary>
    private static async Task SendAsync(Process pwsh, DelegatedCommandLine? line, bool readsInput, CancellationToken cancellationToken)
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
                    if (readsInput)
                    {
                        using var ours = Console.OpenStandardInput();
                        await ours.CopyToAsync(input, cancellationToken).ConfigureAwait(false);
                    }
                }
            }
        }
        catch (IOException)
        {
            // It ended without reading; its exit code says why.
        }
    }

    private static McpAuthException Failure(string why, string remedy) => new(ErrorReason.VaultUnavailable,
        $"That credential is in a vault of SecretManagement, which only PowerShell can open, {why}.", remedy);
}
