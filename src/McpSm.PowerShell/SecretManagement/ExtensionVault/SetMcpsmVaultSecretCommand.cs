using System.Collections;
using System.Management.Automation;
using System.Net;
using System.Security;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

/// <summary>Stores a secret: a String or a SecureString.</summary>
[Cmdlet(VerbsCommon.Set, "McpsmVaultSecret")]
public sealed class SetMcpsmVaultSecretCommand : ExtensionVaultCmdlet
{
    [Parameter]
    public string Name { get; set; } = "";

    [Parameter]
    [AllowNull]
    public object? Secret { get; set; }

    [Parameter]
    public Hashtable? Metadata { get; set; }

    protected override void ProcessRecord() => RunInVault(Name, (vault, cancellationToken) =>
    {
        var (kind, text) = (Secret is PSObject wrapped ? wrapped.BaseObject : Secret) switch
        {
            string plain => (SecretKind.String, plain),
            SecureString secure => (SecretKind.SecureString, new NetworkCredential("", secure).Password),
            // SecretManagement also passes null if it could not read a secret that it copies.
            null => throw new McpAuthException(ErrorReason.InvalidValue, "The secret is null."),
            var other => throw new McpAuthException(ErrorReason.InvalidValue,
                $"Mcpsm cannot store a secret of type {other.GetType().Name}, only String and SecureString.", "Choose another vault: Get-SecretVault"),
        };
        return Authenticator.Secrets.SetAsync(Name, kind, text, SecretMetadata.ToDictionary(Metadata), vault, cancellationToken);
    });
}
