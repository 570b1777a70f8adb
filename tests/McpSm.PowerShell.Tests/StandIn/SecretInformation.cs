using System.Collections;

// A type of SecretManagement that an extension vault creates, with its documented constructors. PowerShell finds the type by name
// in any loaded assembly.
namespace Microsoft.PowerShell.SecretManagement;

public sealed class SecretInformation(string name, SecretType type, string vaultName, Hashtable metadata)
{
    public string Name { get; } = name;

    public SecretType Type { get; } = type;

    public string VaultName { get; } = vaultName;

    public Hashtable Metadata { get; } = metadata;
}
