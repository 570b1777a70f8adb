using System.Management.Automation;
using System.Net;
using System.Security;
using McpSm.Core.Credentials;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

/// <summary>Gives a server's valid token, or a secret as the type it was set as; nothing where there is neither.</summary>
[Cmdlet(VerbsCommon.Get, "ServedSecret")]
[OutputType(typeof(string), typeof(SecureString))]
public sealed class GetVaultSecretCommand : ExtensionVaultCmdlet
{
    [Parameter]
    public string Name { get; set; } = "";

    protected override void ProcessRecord() => Serve(Name, async (vault, cancellationToken) =>
    {
        if (await Authenticator.Secrets.GetAsync(Name, vault, cancellationToken).ConfigureAwait(false) is var (kind, text))
        {
            Write(kind == SecretKind.String ? text : new NetworkCredential("", text).SecurePassword);
        }
    });
}
