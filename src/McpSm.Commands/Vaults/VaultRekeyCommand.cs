using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Core.Errors;

namespace McpSm.Commands.Vaults;

/// <summary><c>vault rekey</c>: encrypts the encrypted file under a new key, from a key file or from a passphrase.</summary>
internal sealed class VaultRekeyCommand : McpsmSubcommand
{
    private const string PassphraseVariable = "MCPSM_VAULT_PASSPHRASE";
    private const string NewPassphraseVariable = "MCPSM_VAULT_NEW_PASSPHRASE";

    private readonly Option<bool> _passphrase = new("--passphrase") { Description = $"Use a new passphrase: prompt, or {NewPassphraseVariable}" };
    private readonly Option<bool> _keyFile = new("--key-file") { Description = "Use a new random key, stored in the key file" };

    public VaultRekeyCommand(CommandContext context) : base(context, "rekey", "Change the key of the encrypted file")
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
            throw new McpAuthException(ErrorReason.InvalidValue, "--passphrase and --key-file cannot be combined.");
        }
        // Without an option the kind of key stays the same.
        if (parsed.GetValue(_passphrase) || (!parsed.GetValue(_keyFile) && Context.Authenticator.Vaults.FileUsesPassphrase))
        {
            var passphrase = await ReadPassphraseAsync(cancellationToken).ConfigureAwait(false);
            await Context.Authenticator.Vaults.RekeyFileAsync(passphrase, cancellationToken).ConfigureAwait(false);
            Context.Succeed("credentials.enc is encrypted with the new passphrase.");
            Context.Hint("Set MCPSM_VAULT_PASSPHRASE to the new passphrase in every environment that uses these credentials.");
        }
        else
        {
            await Context.Authenticator.Vaults.RekeyFileAsync(null, cancellationToken).ConfigureAwait(false);
            Context.Succeed($"credentials.enc is encrypted with a new key in {Context.Authenticator.Vaults.KeyFileName}.");
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
            throw new McpAuthException(ErrorReason.InteractionRequired, "The new passphrase must be typed at a terminal, but this session is not interactive.",
                $"Set {NewPassphraseVariable} to the new passphrase.");
        }
        var typed = await Context.Console.ReadSecretAsync("New passphrase: ", cancellationToken).ConfigureAwait(false);
        var repeated = await Context.Console.ReadSecretAsync("Repeat the new passphrase: ", cancellationToken).ConfigureAwait(false);
        if (string.IsNullOrEmpty(typed))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "The passphrase is empty. Nothing was changed.");
        }
        return typed == repeated ? typed : throw new McpAuthException(ErrorReason.InvalidValue, "The passphrases do not match. Nothing was changed.");
    }
}
