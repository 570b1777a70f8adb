namespace McpSm.Core.Vaults.EncryptedFile;

/// <summary>A key and the header fields that identify it.</summary>
internal sealed record VaultKey(KeyHeader Source, byte[] Key);
