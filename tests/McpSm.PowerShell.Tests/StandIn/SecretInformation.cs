using System.Collections;

// The types of that module which an extension vault makes, with the constructors it documents: PowerShell finds them
// by name in whatever assembly is loaded.
namespace Microsoft.PowerShell.SecretManagement;

public sealed class SecretInformation(string name, SecretType type, string vaultName, Hashtable metadata)
{
    public string Name { get; } = name;

    public SecretType Type { get; } = type;

    public string VaultName { get; } = vaultName;

    public Hashtable Metadata { get; } = metadata;
}
