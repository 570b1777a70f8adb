namespace McpSm.Core.Vaults.EncryptedFile;

/// <summary>Where the key of an encrypted file comes from, as its header says.</summary>
internal readonly record struct KeyHeader(bool IsPassphrase, int Iterations, byte[] Salt, byte[] KeyCheckValue);
