using System.Management.Automation;
using System.Security;
using McpSm.Core;
using McpSm.Core.SignIn;
using McpSm.PowerShell.Completion;

namespace McpSm.PowerShell.Cmdlets.IdentityProviders;

/// <summary>Signs in at the identity provider, once for all servers.</summary>
[Cmdlet(VerbsCommunications.Connect, "McpIdentityProvider", HelpUri = HelpUris.Folder + "Connect-McpIdentityProvider.md",
    DefaultParameterSetName = Person, SupportsShouldProcess = true)]
[OutputType(typeof(McpIdentityProvider))]
public sealed class ConnectMcpIdentityProviderCommand : IdentityProviderCmdlet
{
    private const string Person = "Person";
    private const string FromIdToken = "IdToken";

    /// <summary>Prints the URL instead of opening a browser.</summary>
    [Parameter(ParameterSetName = Person)]
    public SwitchParameter NoBrowser { get; set; }

    /// <summary>Signs in with a code that the user enters on another device.</summary>
    [Parameter(ParameterSetName = Person)]
    public SwitchParameter UseDeviceCode { get; set; }

    /// <summary>The local port for the callback of the browser; 0 is any free port.</summary>
    [Parameter(ParameterSetName = Person)]
    [ValidateRange(0, 65535)]
    public int? CallbackPort { get; set; }

    /// <summary>Seconds to wait for the sign-in; by default 300.</summary>
    [Parameter(ParameterSetName = Person)]
    [ValidateRange(1, 86400)]
    public int TimeoutSec { get; set; } = (int)SignInOptions.DefaultTimeout.TotalSeconds;

    /// <summary>An ID token that another program obtained for the same client. It is not renewed.</summary>
    [Parameter(ParameterSetName = FromIdToken, Mandatory = true)]
    public SecureString? IdToken { get; set; }

    /// <summary>The vault to store the session in.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(VaultCompleter))]
    public string? Vault { get; set; }

    /// <summary>Fails at once if a person would have to answer.</summary>
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
