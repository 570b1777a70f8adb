using System.Collections;
using System.Management.Automation;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

internal static class VaultSecretNames
{
    public static IReadOnlyDictionary<string, object?>? Plain(Hashtable? metadata) =>
        metadata?.Cast<DictionaryEntry>().ToDictionary(m => $"{m.Key}", m => m.Value is PSObject wrapped ? wrapped.BaseObject : m.Value);
}
