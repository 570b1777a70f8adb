using System.Collections;
using System.Management.Automation;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

/// <summary>The metadata of a secret, as SecretManagement passes it.</summary>
internal static class SecretMetadata
{
    public static IReadOnlyDictionary<string, object?>? ToDictionary(Hashtable? metadata) =>
        metadata?.Cast<DictionaryEntry>().ToDictionary(m => $"{m.Key}", m => m.Value is PSObject wrapper ? wrapper.BaseObject : m.Value);
}
