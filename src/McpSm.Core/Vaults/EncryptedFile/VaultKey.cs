namespace McpSm.Core.Vaults.EncryptedFile;

/// <summary>A key and the header fields under which it is found again.</summary>
internal sealed record VaultKey(KeyHeader Source, byte[] Key);
