namespace McpSm.Core.Errors.Steps;

/// <summary>Puts the encrypted file under another key.</summary>
/// <param name="Passphrase">Whether under a passphrase; else under a new key file.</param>
public sealed record RekeyVaultStep(bool Passphrase) : NextStep
{
    protected override string Describe => Passphrase ? "put the encrypted file under a passphrase" : "put the encrypted file under a new key file";
}
