namespace McpSm.Core.Errors.Steps;

/// <summary>Encrypts the encrypted file with a new key.</summary>
/// <param name="Passphrase">True for a key derived from a passphrase; false for a new key file.</param>
internal sealed record RekeyVaultStep(bool Passphrase) : NextStep
{
    protected override string Describe => Passphrase ? "protect the encrypted file with a passphrase" : "protect the encrypted file with a new key file";
}
