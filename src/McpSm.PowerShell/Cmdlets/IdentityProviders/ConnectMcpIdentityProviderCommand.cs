using System.Management.Automation;
using System.Security;
using McpSm.Core;
using McpSm.Core.SignIn;
using McpSm.PowerShell.Completion;

namespace McpSm.PowerShell.Cmdlets.IdentityProviders;

/// <summary>Signs in at the identity provider that is set, once for all servers.</summary>
[Cmdlet(VerbsCommunications.Connect, "McpIdentityProvider", HelpUri = HelpUris.Folder + "Connect-McpIdentityProvider.md",
    DefaultParameterSetName = Person, SupportsShouldProcess = true)]
[OutputType(typeof(McpIdentityProvider))]
public sealed class ConnectMcpIdentityProviderCommand : IdentityProviderCmdlet
{
    private const string Person = "Person";
    private const string OfToken = "IdToken";

    /// <summary>Shows the URL instead of opening a browser.</summary>
    [Parameter(ParameterSetName = Person)]
    public SwitchParameter NoBrowser { get; set; }

    /// <summary>Signs in with a code on another device.</summary>
    [Parameter(ParameterSetName = Person)]
    public SwitchParameter UseDeviceCode { get; set; }

    /// <summary>The local port the browser comes back to; 0 is any.</summary>
    [Parameter(ParameterSetName = Person)]
    [ValidateRange(0, 65535)]
    public int? CallbackPort { get; set; }

    /// <summary>Seconds to wait for the sign-in; 300 where absent.</summary>
    [Parameter(ParameterSetName = Person)]
    [ValidateRange(1, 86400)]
    public int TimeoutSec { get; set; } = (int)SignInOptions.DefaultTimeout.TotalSeconds;

    /// <summary>The ID token that another program got there for the same client; nothing renews it.</summary>
    [Parameter(ParameterSetName = OfToken, Mandatory = true)]
    public SecureString? IdToken { get; set; }

    /// <summary>The vault to keep the session in.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(VaultCompleter))]
    public string? Vault { get; set; }

    /// <summary>Fails at once where a person would be asked.</summary>
    [Parameter]
    public SwitchParameter NonInteractive { get; set; }

    protected override void ProcessRecord()
    {
        Interaction.NonInteractive = NonInteractive;
        RunOnce(async cancellationToken =>
        {
            var issuer = Authenticator.IdentityProviders.RequireCurrent().Issuer;
            if (await Dispatcher.AskAsync(() => ShouldProcess(issuer, "Sign in"), cancellationToken).ConfigureAwait(false))
            {
                await TryAsync(issuer, () => ConnectAsync(issuer, cancellationToken)).ConfigureAwait(false);
            }
        });
    }

    private async Task ConnectAsync(string issuer, CancellationToken cancellationToken)
    {
        await (UnwrapText(IdToken) is { } idToken ? Authenticator.IdentityProviders.StoreIdTokenAsync(issuer, null, idToken.Trim(), Vault, cancellationToken)
            : Authenticator.IdentityProviders.SignInAsync(issuer, new SignInOptions
            {
                NoBrowser = NoBrowser,
                UseDeviceCode = UseDeviceCode,
                CallbackPort = CallbackPort,
                Timeout = TimeSpan.FromSeconds(TimeoutSec),
                Vault = Vault,
            }, cancellationToken)).ConfigureAwait(false);
        WriteProvider(issuer);
    }
}
