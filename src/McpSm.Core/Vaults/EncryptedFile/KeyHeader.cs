namespace McpSm.Core.Vaults.EncryptedFile;

/// <summary>The header fields that describe the key of an encrypted file.</summary>
internal readonly record struct KeyHeader(bool IsPassphrase, int Iterations, byte[] Salt, byte[] KeyCheckValue);
