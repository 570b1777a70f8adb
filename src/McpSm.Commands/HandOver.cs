using System.CommandLine;
using System.CommandLine.Parsing;
using System.ComponentModel;
using System.Diagnostics;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;

namespace McpSm.Commands;

/// <summary>
/// Hands a command to pwsh whose credential is in a vault of SecretManagement, which only PowerShell can open. That is
/// known from the facts before the command starts: nothing was asked, read or sent yet.
/// </summary>
public static class HandOver
{
    /// <summary>Set for the pwsh that a command was handed to: its words for people go to standard error.</summary>
    public const string Variable = "MCPSM_HANDED_OVER";

    // Arguments come apart from the script, so that nothing in them is ever read as PowerShell.
    private const string Script = """
        try { Import-Module Mcpsm -ErrorAction Stop } catch { exit 127 }
        if ($env:MCPSM_HANDED_OVER -eq 'input') { $input | Invoke-Mcpsm @args } else { Invoke-Mcpsm @args }
        exit $LASTEXITCODE
        """;

    private const int NoModule = 127;

    private static readonly string[] SecretOptions = ["--token", "--header", "--client-secret-from-env"];

    internal static bool IsNeeded(ParseResult parsed, CommandContext context)
    {
        var command = parsed.CommandResult;
        var name = command.Command.Name;
        var asked = Asked(parsed);
        if (command.Parent is CommandResult { Command.Name: "identity" })
        {
            return IsElsewhere(() => asked is not null ? [asked]
                : [context.Authenticator.VaultNameFor(null), .. context.Authenticator.IdentityProviders().Select(p => p.Vault)]);
        }
        if (name == "use")
        {
            var target = command.Children.OfType<ArgumentResult>().FirstOrDefault()?.Tokens.FirstOrDefault()?.Value;
            if (!command.Children.OfType<OptionResult>().Any(o => o.Option.Name == "--move"))
            {
                return VaultSelector.IsOfSecretManagement(target);
            }
            return VaultSelector.IsOfSecretManagement(target) || (target is not null && IsElsewhere(() => context.Authenticator.VaultsToMoveFrom(target)));
        }
        if (name is "list" or "status" or "identity" or "vault" or "rekey" or "completion" || (name is "add" or "update" && !command.Children.OfType<OptionResult>()
            .Any(o => !o.Implicit && SecretOptions.Contains(o.Option.Name))))
        {
            return false;
        }
        return IsElsewhere(() =>
        {
            var all = context.Catalog.List();
            var said = command.Children.OfType<ArgumentResult>().FirstOrDefault(a => a.Argument.Name == "server")?.Tokens.FirstOrDefault()?.Value;
            var vaults = context.Authenticator.VaultNamesOf(said is null ? all : ServerCatalog.Find(all, said) is { } one ? [one] : []);
            // Whoever moves to another vault still has to be read, and revoked, where it is.
            return asked is not null ? [asked, .. vaults]
                : vaults.Count == 0 || vaults.Contains(null) ? [context.Authenticator.VaultNameFor(null), .. vaults] : vaults;
        });
    }

    /// <summary>The vault that was named.</summary>
    private static string? Asked(ParseResult parsed) =>
        parsed.CommandResult.Children.OfType<OptionResult>().FirstOrDefault(o => o.Option.Name == "--vault") is { Tokens: [var token] } ? token.Value : null;

    private static bool IsElsewhere(Func<IEnumerable<string?>> vaults)
    {
        try
        {
            return vaults().Any(VaultSelector.IsOfSecretManagement);
        }
        catch (McpAuthException)
        {
            // Damaged files: the command itself says what is wrong with them.
            return false;
        }
    }

    /// <returns>The exit code; null where pwsh cannot do it and the vault that was named can do without: what is elsewhere then stays there.</returns>
    /// <exception cref="McpAuthException">VaultUnavailable.</exception>
    internal static async Task<int?> RunAsync(ParseResult parsed, IReadOnlyList<string> arguments, CommandContext context, CancellationToken cancellationToken)
    {
        var canDoWithout = Asked(parsed) is { } asked && !VaultSelector.IsOfSecretManagement(asked);
        var readsInput = arguments.Contains("-");
        var start = new ProcessStartInfo("pwsh", ["-NoProfile", "-NoLogo", "-CommandWithArgs", Script, .. arguments])
        {
            UseShellExecute = false,
            // Nobody may wait for the end of an input that is not theirs; a terminal is theirs, for prompts.
            RedirectStandardInput = !readsInput && !context.Console.IsInputTerminal,
        };
        start.Environment[Variable] = readsInput ? "input" : "1";
        Process pwsh;
        try
        {
            pwsh = Process.Start(start)!;
        }
        catch (Exception e) when (e is Win32Exception or FileNotFoundException)
        {
            return canDoWithout ? null : throw Cannot("and pwsh was not found", "Install PowerShell 7.6 and its module Mcpsm, or keep the credential elsewhere with --vault file");
        }
        using (pwsh)
        {
            if (start.RedirectStandardInput)
            {
                pwsh.StandardInput.Close();
            }
            try
            {
                await pwsh.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                if (!pwsh.HasExited)
                {
                    pwsh.Kill(entireProcessTree: true);
                }
            }
            return pwsh.ExitCode != NoModule ? pwsh.ExitCode
                : canDoWithout ? null : throw Cannot("and pwsh does not find the module Mcpsm", "Install-PSResource Mcpsm");
        }
    }

    private static McpAuthException Cannot(string why, string remedy) => new(ErrorReason.VaultUnavailable,
        $"That credential is in a vault of SecretManagement, which only PowerShell can open, {why}.", remedy);
}
