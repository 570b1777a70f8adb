using System.CommandLine;
using System.CommandLine.Parsing;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Output;
using McpSm.Commands.Remedies;
using McpSm.Core;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;

namespace McpSm.Commands.Vaults;

/// <summary><c>vault list|use|rekey</c> and <c>import</c>: where secrets rest, and how they come there.</summary>
internal static class VaultCommands
{
    public const string NewPassphraseVariable = "MCPSM_VAULT_NEW_PASSPHRASE";

    public static void AddTo(Command root, CommandContext context)
    {
        var vault = Listing(new Command("vault", "Show and choose where credentials are kept"), context);
        vault.Add(Listing(new Command("list", "List the vaults of this system"), context));
        vault.Add(Use(context));
        vault.Add(Rekey(context));
        root.Add(vault);
        root.Add(Import(context));
    }

    private static Command Listing(Command command, CommandContext context)
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON array" };
        command.Add(json);
        command.SetReadAction((parsed, cancellationToken) => context.RunAsync(() => ListAsync(context, parsed.GetValue(json), cancellationToken)));
        return command;
    }

    private static async Task<int> ListAsync(CommandContext context, bool json, CancellationToken cancellationToken)
    {
        var vaults = await context.Authenticator.VaultsAsync(cancellationToken).ConfigureAwait(false);
        if (json)
        {
            JsonOutput.Array(context.Console.Out, vaults, JsonOutput.Vault);
            return ExitCode.Done;
        }
        foreach (var vault in vaults)
        {
            context.Print($"{(vault.InUse ? "*" : " ")} {UntrustedText.Sanitize(vault.Name)}{(vault.Why is null ? "" : $" (in use: {vault.Why})")}");
            context.Print($"    {vault.Protection}");
        }
        if (!vaults.Any(v => v.InUse))
        {
            context.Hint("None is in use yet: the first that works is taken when something is kept.");
        }
        return ExitCode.Done;
    }

    private static Command Use(CommandContext context)
    {
        var name = new Argument<string>("vault") { Description = "Its name, as mcpsm vault list shows it" };
        var move = new Option<bool>("--move") { Description = "Take all that is kept elsewhere along" };
        var command = new Command("use", "Keep credentials in another vault from now on") { name, move };
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            var chosen = parsed.GetValue(name)!;
            if (parsed.GetValue(move))
            {
                var moved = await context.Authenticator.MoveToVaultAsync(chosen, cancellationToken).ConfigureAwait(false);
                context.Succeed($"Credentials are kept in '{chosen}'; {moved} item{(moved == 1 ? " was" : "s were")} moved there.");
                return ExitCode.Done;
            }
            var elsewhere = await context.Authenticator.UseVaultAsync(chosen, cancellationToken).ConfigureAwait(false);
            context.Succeed($"Credentials are kept in '{chosen}' from now on.");
            if (elsewhere.Count > 0)
            {
                context.Hint($"Those of {string.Join(", ", elsewhere)} stay where they are. To take them along: {NextCommand.For("vault use", chosen, "--move", "<vault>")}");
            }
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Rekey(CommandContext context)
    {
        var passphrase = new Option<bool>("--passphrase") { Description = "Under a new one, asked for or in " + NewPassphraseVariable };
        var keyFile = new Option<bool>("--key-file") { Description = "Under a new key in credentials.key" };
        var command = new Command("rekey", "Put the encrypted file under another key") { passphrase, keyFile };
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            if (parsed.GetValue(passphrase) && parsed.GetValue(keyFile))
            {
                throw new McpAuthException(ErrorReason.InvalidValue, "--passphrase and --key-file exclude each other.");
            }
            var toPassphrase = parsed.GetValue(passphrase) || (!parsed.GetValue(keyFile) && context.Authenticator.FileUsesPassphrase);
            var chosen = toPassphrase ? await ReadPassphraseAsync(context, cancellationToken).ConfigureAwait(false) : null;
            await context.Authenticator.RekeyFileAsync(chosen, cancellationToken).ConfigureAwait(false);
            context.Succeed(toPassphrase ? "credentials.enc is under the new passphrase." : "credentials.enc is under a new key in credentials.key.");
            if (toPassphrase)
            {
                context.Hint("Set MCPSM_VAULT_PASSPHRASE to it wherever credentials are used.");
            }
            return ExitCode.Done;
        }));
        return command;
    }

    private static async Task<string> ReadPassphraseAsync(CommandContext context, CancellationToken cancellationToken)
    {
        if (context.AppEnvironment.Variable(NewPassphraseVariable) is { } given)
        {
            return given;
        }
        if (context.AppEnvironment.Variable("MCPSM_VAULT_PASSPHRASE") is { } meant && !context.Authenticator.FileUsesPassphrase)
        {
            // The file is under a key file, and so this is not the passphrase of now: it is the one that the user wants.
            return meant;
        }
        if (!context.Interaction.CanAnswer || !context.Console.IsInputTerminal)
        {
            throw new McpAuthException(ErrorReason.InteractionRequired, "The new passphrase is asked for at a terminal, and there is none.",
                $"Set {NewPassphraseVariable} to it");
        }
        var typed = await context.Console.ReadSecretAsync("New passphrase: ", cancellationToken).ConfigureAwait(false);
        var again = await context.Console.ReadSecretAsync("Once more: ", cancellationToken).ConfigureAwait(false);
        return typed is { Length: > 0 } && typed == again ? typed
            : throw new McpAuthException(ErrorReason.InvalidValue, typed is { Length: > 0 } ? "The two are not the same. Nothing was changed." : "The passphrase is empty. Nothing was changed.");
    }

    private static Command Import(CommandContext context)
    {
        var id = new Argument<string?>("server") { Description = "Its id, name or URL; all servers where absent", Arity = ArgumentArity.ZeroOrOne };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only show what would be done" };
        var force = new Option<bool>("--force") { Description = "Also where the vault has something else in its place" };
        var vault = new Option<string?>("--vault") { Description = "The vault to keep it in" };
        var command = new Command("import", "Take the npm tool's plaintext secrets into the vault") { id, dryRun, force, vault };
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            var all = context.Catalog.List();
            var one = parsed.GetValue(id);
            IReadOnlyList<McpServer> chosen = one is null ? all : [ServerLookup.Get(all, one)];
            var (some, failed) = (false, 0);
            foreach (var server in chosen)
            {
                var secrets = context.Authenticator.FindPlaintext(server);
                some |= secrets.Count > 0;
                if (parsed.GetValue(dryRun))
                {
                    foreach (var secret in secrets)
                    {
                        context.Print($"{server.Name}: would take the {secret} into the vault.");
                    }
                }
                else if (secrets.Count > 0)
                {
                    var code = await context.RunAsync(() => ImportAsync(server, parsed.GetValue(vault), parsed.GetValue(force), context, cancellationToken), server.Name).ConfigureAwait(false);
                    if (code == ExitCode.Cancelled)
                    {
                        return code;
                    }
                    failed += code == ExitCode.Done ? 0 : 1;
                }
            }
            foreach (var foreign in one is null ? context.Authenticator.FindForeignPlaintext() : [])
            {
                context.Warn($"oauth-tokens.json has tokens of '{foreign}', which is no server here. They were left.");
            }
            if (!some)
            {
                context.Hint("No secret lies in plaintext.");
            }
            return failed == 0 ? ExitCode.Done : ExitCode.Failed;
        }), when: parsed => !parsed.GetValue(dryRun));
        return command;
    }

    private static async Task<int> ImportAsync(McpServer server, string? vault, bool force, CommandContext context, CancellationToken cancellationToken)
    {
        var left = 0;
        foreach (var done in await context.Authenticator.ImportAsync(server, vault, force, cancellationToken).ConfigureAwait(false))
        {
            var what = new PlaintextSecret(done.Kind, done.Header, done.File);
            if (done.Removed)
            {
                context.Succeed(done.Vault is null ? $"{server.Name}: {what} removed; {done.Reason}." : $"{server.Name}: {what} taken into the vault '{done.Vault}'.");
            }
            else
            {
                left++;
                context.Warn($"{server.Name}: {what} was left: {done.Reason}.");
            }
        }
        return left == 0 ? ExitCode.Done : ExitCode.Failed;
    }
}
