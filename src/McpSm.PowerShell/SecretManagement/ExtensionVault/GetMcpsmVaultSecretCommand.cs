using System.Management.Automation;
using System.Net;
using System.Security;
using McpSm.Core.Credentials;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

/// <summary>
/// Returns the valid token of a server, or a secret of another tool with the type that it was stored with. Returns nothing if neither exists.
/// </summary>
[Cmdlet(VerbsCommon.Get, "McpsmVaultSecret")]
[OutputType(typeof(string), typeof(SecureString))]
public sealed class GetMcpsmVaultSecretCommand : ExtensionVaultCmdlet
{
    [Parameter]
    public string Name { get; set; } = "";

    protected override void ProcessRecord() => RunInVault(Name, async (vault, cancellationToken) =>
    {
        if (await Authenticator.Secrets.GetAsync(Name, vault, cancellationToken).ConfigureAwait(false) is var (kind, text))
        {
            Write(kind == SecretKind.String ? text : new NetworkCredential("", text).SecurePassword);
        }
    });
}
