using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Core.Errors;

namespace McpSm.Commands.Vaults;

/// <summary><c>vault rekey</c>: encrypts the encrypted file under a new key, from a key file or from a passphrase.</summary>
internal sealed class RekeyCommand : McpsmSubcommand
{
    private const string PassphraseVariable = "MCPSM_VAULT_PASSPHRASE";
    private const string NewPassphraseVariable = "MCPSM_VAULT_NEW_PASSPHRASE";

    private readonly Option<bool> _passphrase = new("--passphrase") { Description = "Under a new one, asked for or in " + NewPassphraseVariable };
    private readonly Option<bool> _keyFile = new("--key-file") { Description = "Under a new key in credentials.key" };

    public RekeyCommand(CommandContext context) : base(context, "rekey", "Put the encrypted file under another key")
    {
        Add(_passphrase);
        Add(_keyFile);
        Examples = ["mcpsm vault rekey --passphrase", "mcpsm vault rekey --key-file"];
    }

    public override bool Changes(ParseResult parsed) => true;

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(_passphrase) && parsed.GetValue(_keyFile))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "--passphrase and --key-file exclude each other.");
        }
        // Without an option the kind of key stays the same.
        if (parsed.GetValue(_passphrase) || (!parsed.GetValue(_keyFile) && Context.Authenticator.Vaults.FileUsesPassphrase))
        {
            var passphrase = await ReadPassphraseAsync(cancellationToken).ConfigureAwait(false);
            await Context.Authenticator.Vaults.RekeyFileAsync(passphrase, cancellationToken).ConfigureAwait(false);
            Context.Succeed("credentials.enc is under the new passphrase.");
            Context.Hint("Set MCPSM_VAULT_PASSPHRASE to it wherever credentials are used.");
        }
        else
        {
            await Context.Authenticator.Vaults.RekeyFileAsync(null, cancellationToken).ConfigureAwait(false);
            Context.Succeed("credentials.enc is under a new key in credentials.key.");
        }
        return ExitCode.Done;
    }

    private async Task<string> ReadPassphraseAsync(CancellationToken cancellationToken)
    {
        if (Context.AppEnvironment.Variable(NewPassphraseVariable) is { } newPassphrase)
        {
            return newPassphrase;
        }
        // While the key is in a key file, this variable cannot be the current passphrase: it is the one that the user wants.
        if (Context.AppEnvironment.Variable(PassphraseVariable) is { } passphrase && !Context.Authenticator.Vaults.FileUsesPassphrase)
        {
            return passphrase;
        }
        if (!Context.Interaction.CanAnswer || !Context.Console.IsInputTerminal)
        {
            throw new McpAuthException(ErrorReason.InteractionRequired, "The new passphrase is asked for at a terminal, and there is none.",
                $"Set {NewPassphraseVariable} to it");
        }
        var typed = await Context.Console.ReadSecretAsync("New passphrase: ", cancellationToken).ConfigureAwait(false);
        var repeated = await Context.Console.ReadSecretAsync("Once more: ", cancellationToken).ConfigureAwait(false);
        if (string.IsNullOrEmpty(typed))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "The passphrase is empty. Nothing was changed.");
        }
        return typed == repeated ? typed : throw new McpAuthException(ErrorReason.InvalidValue, "The two are not the same. Nothing was changed.");
    }
}
