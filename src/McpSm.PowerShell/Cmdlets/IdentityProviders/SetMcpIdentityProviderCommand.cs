using System.Management.Automation;
using System.Security;
using McpSm.Core;
using McpSm.Core.Configuration;
using McpSm.Core.Discovery;
using McpSm.PowerShell.Completion;

namespace McpSm.PowerShell.Cmdlets.IdentityProviders;

/// <summary>Sets the identity provider for every server whose issuer takes its word.</summary>
[Cmdlet(VerbsCommon.Set, "McpIdentityProvider", HelpUri = HelpUris.Folder + "Set-McpIdentityProvider.md", SupportsShouldProcess = true)]
[OutputType(typeof(McpIdentityProvider))]
public sealed class SetMcpIdentityProviderCommand : IdentityProviderCmdlet
{
    /// <summary>The <c>issuer</c> of its OpenID Connect metadata.</summary>
    [Parameter(Position = 0, Mandatory = true)]
    [ArgumentCompleter(typeof(IdentityProviderCompleter))]
    public string Issuer { get; set; } = "";

    /// <summary>The id of the client that is registered there; where absent, we register ourselves.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ClientId { get; set; }

    /// <summary>The client's secret, kept in the vault.</summary>
    [Parameter]
    public SecureString? ClientSecret { get; set; }

    /// <summary>Scopes to ask for beside <c>openid</c>; what renews the session where absent.</summary>
    [Parameter]
    [Alias("Scopes")]
    [AllowEmptyCollection]
    [ArgumentCompleter(typeof(ScopeCompleter))]
    public string[] Scope { get; set; } = [];

    /// <summary>The vault to keep the secret in.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(VaultCompleter))]
    public string? Vault { get; set; }

    /// <summary>Emits the provider.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord()
    {
        if (ShouldProcess(Issuer, "Use as identity provider"))
        {
            Run(cancellationToken => TryAsync(Issuer, async () =>
            {
                await Authenticator.IdentityProviders.SetAsync(new IdentityProviderSetting(Issuer, ClientId, Scopes.Typed(Scope)), UnwrapText(ClientSecret), Vault,
                    cancellationToken).ConfigureAwait(false);
                if (PassThru)
                {
                    WriteProvider(Issuer);
                }
            }));
        }
    }
}
