using System.Collections;
using System.Management.Automation;
using System.Net;
using System.Security;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

/// <summary>Keeps a secret: text alone.</summary>
[Cmdlet(VerbsCommon.Set, "ServedSecret")]
public sealed class SetVaultSecretCommand : ExtensionVaultCmdlet
{
    [Parameter]
    public string Name { get; set; } = "";

    [Parameter]
    [AllowNull]
    public object? Secret { get; set; }

    [Parameter]
    public Hashtable? Metadata { get; set; }

    protected override void ProcessRecord() => Serve(Name, (vault, cancellationToken) =>
    {
        var (kind, text) = (Secret is PSObject wrapped ? wrapped.BaseObject : Secret) switch
        {
            string plain => (SecretKind.String, plain),
            SecureString secure => (SecretKind.SecureString, new NetworkCredential("", secure).Password),
            // Also what SecretManagement hands on where it could not read the secret that it was to copy.
            null => throw new McpAuthException(ErrorReason.InvalidValue, "There is no secret to keep: it is null."),
            var other => throw new McpAuthException(ErrorReason.InvalidValue,
                $"A secret of type {other.GetType().Name} cannot be kept here: String and SecureString can be.", "Choose another vault: Get-SecretVault"),
        };
        return Authenticator.Secrets.SetAsync(Name, kind, text, VaultSecretNames.Plain(Metadata), vault, cancellationToken);
    });
}
