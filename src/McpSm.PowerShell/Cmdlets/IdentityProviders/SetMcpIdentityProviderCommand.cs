using System.Management.Automation;
using System.Security;
using McpSm.Core;
using McpSm.Core.Configuration;
using McpSm.Core.Discovery;
using McpSm.PowerShell.Completion;

namespace McpSm.PowerShell.Cmdlets.IdentityProviders;

/// <summary>Sets the identity provider, which signs in to every server whose issuer trusts it.</summary>
[Cmdlet(VerbsCommon.Set, "McpIdentityProvider", HelpUri = HelpUris.Folder + "Set-McpIdentityProvider.md", SupportsShouldProcess = true)]
[OutputType(typeof(McpIdentityProvider))]
public sealed class SetMcpIdentityProviderCommand : IdentityProviderCmdlet
{
    /// <summary>The <c>issuer</c> of the OpenID Connect metadata of the provider.</summary>
    [Parameter(Position = 0, Mandatory = true)]
    [ArgumentCompleter(typeof(IdentityProviderCompleter))]
    public string Issuer { get; set; } = "";

    /// <summary>The id of a client that is registered there. Without it, Mcpsm registers itself.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ClientId { get; set; }

    /// <summary>The secret of that client, which is stored in the vault.</summary>
    [Parameter]
    public SecureString? ClientSecret { get; set; }

    /// <summary>Scopes to request in addition to <c>openid</c>; by default <c>offline_access</c>, if the provider supports it.</summary>
    [Parameter]
    [Alias("Scopes")]
    [AllowEmptyCollection]
    [ArgumentCompleter(typeof(ScopeCompleter))]
    public string[] Scope { get; set; } = [];

    /// <summary>The vault to store the secret in.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(VaultCompleter))]
    public string? Vault { get; set; }

    /// <summary>Returns the identity provider.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord()
    {
        if (ShouldProcess(Issuer, "Use as identity provider"))
        {
            Run(cancellationToken => TryAsync(Issuer, async () =>
            {
                await Authenticator.IdentityProviders.SetAsync(new IdentityProviderSetting(Issuer, ClientId, Scopes.Typed(Scope)),
                    UnwrapText(ClientSecret), Vault,
                    cancellationToken).ConfigureAwait(false);
                if (PassThru)
                {
                    WriteProvider(Issuer);
                }
            }));
        }
    }
}
