using System.Management.Automation;
using System.Security;
using McpSm.Core;
using McpSm.Core.Discovery;
using McpSm.Core.Vaults;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets;

/// <summary>What is about the identity provider of the organisation (rule 34 of docs/rules.md), of which one is set for all servers.</summary>
public abstract class IdentityProviderCommand : McpCmdlet
{
    /// <summary>Work whose failure is one error, whoever it is about.</summary>
    private protected void RunOnce(Func<CancellationToken, Task> work) => Run(cancellationToken => TryAsync(null, () => work(cancellationToken)));

    /// <summary>Emits how things stand with a provider; nothing where there is nothing of it any more.</summary>
    private protected void WriteProvider(string issuer)
    {
        foreach (var provider in Authenticator.IdentityProviders().Where(p => p.Issuer == issuer))
        {
            Write(provider);
        }
    }
}

/// <summary>Shows the identity provider that is set, and those that are signed in at, from facts alone.</summary>
[Cmdlet(VerbsCommon.Get, "McpIdentityProvider", HelpUri = HelpPages.Folder + "Get-McpIdentityProvider.md")]
[OutputType(typeof(McpIdentityProvider))]
public sealed class GetMcpIdentityProviderCommand : IdentityProviderCommand
{
    protected override void ProcessRecord() => RunOnce(_ =>
    {
        foreach (var provider in Authenticator.IdentityProviders())
        {
            Write(provider);
        }
        return Task.CompletedTask;
    });
}

/// <summary>Sets the identity provider for every server whose issuer takes its word.</summary>
[Cmdlet(VerbsCommon.Set, "McpIdentityProvider", HelpUri = HelpPages.Folder + "Set-McpIdentityProvider.md", SupportsShouldProcess = true)]
[OutputType(typeof(McpIdentityProvider))]
public sealed class SetMcpIdentityProviderCommand : IdentityProviderCommand
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
                await Authenticator.SetIdentityProviderAsync(new IdentityProviderSetting(Issuer, ClientId, Scopes.Typed(Scope)), Plain(ClientSecret), Vault,
                    cancellationToken).ConfigureAwait(false);
                if (PassThru)
                {
                    WriteProvider(Issuer);
                }
            }));
        }
    }
}

/// <summary>Sets no identity provider any more, and signs out there.</summary>
[Cmdlet(VerbsCommon.Remove, "McpIdentityProvider", HelpUri = HelpPages.Folder + "Remove-McpIdentityProvider.md",
    SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
public sealed class RemoveMcpIdentityProviderCommand : IdentityProviderCommand
{
    /// <summary>Does not ask.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord() => RunOnce(async cancellationToken =>
    {
        if (Authenticator.IdentityProvider is { Issuer: var issuer }
            && await Pump.AskAsync(() => Agreed(Force, issuer, "Remove identity provider and sign out there"), cancellationToken).ConfigureAwait(false))
        {
            await TryAsync(issuer, async () => WarnOfRevocation(await Authenticator.RemoveIdentityProviderAsync(issuer, cancellationToken).ConfigureAwait(false)))
                .ConfigureAwait(false);
        }
    });
}

/// <summary>Signs in at the identity provider that is set, once for all servers.</summary>
[Cmdlet(VerbsCommunications.Connect, "McpIdentityProvider", HelpUri = HelpPages.Folder + "Connect-McpIdentityProvider.md",
    DefaultParameterSetName = Person, SupportsShouldProcess = true)]
[OutputType(typeof(McpIdentityProvider))]
public sealed class ConnectMcpIdentityProviderCommand : IdentityProviderCommand
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
    public int TimeoutSec { get; set; } = (int)ConnectOptions.DefaultTimeout.TotalSeconds;

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
            var issuer = Authenticator.RequireIdentityProvider().Issuer;
            if (await Pump.AskAsync(() => ShouldProcess(issuer, "Sign in"), cancellationToken).ConfigureAwait(false))
            {
                await TryAsync(issuer, () => ConnectAsync(issuer, cancellationToken)).ConfigureAwait(false);
            }
        });
    }

    private async Task ConnectAsync(string issuer, CancellationToken cancellationToken)
    {
        await (Plain(IdToken) is { } idToken ? Authenticator.KeepIdTokenAsync(issuer, null, idToken.Trim(), Vault, cancellationToken)
            : Authenticator.SignInToIdentityProviderAsync(issuer, new ConnectOptions
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

/// <summary>Signs out of identity providers: revokes the session where the provider can, and removes it.</summary>
[Cmdlet(VerbsCommunications.Disconnect, "McpIdentityProvider", HelpUri = HelpPages.Folder + "Disconnect-McpIdentityProvider.md",
    SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(McpIdentityProvider))]
public sealed class DisconnectMcpIdentityProviderCommand : IdentityProviderCommand
{
    /// <summary>Does not ask.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Does not tell the provider.</summary>
    [Parameter]
    public SwitchParameter Local { get; set; }

    /// <summary>Emits the provider afterwards.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord() => RunOnce(async cancellationToken =>
    {
        foreach (var issuer in Authenticator.IdentityProviders().Where(p => p.SignedInAt is not null).Select(p => p.Issuer))
        {
            if (await Pump.AskAsync(() => Agreed(Force, issuer, "Sign out"), cancellationToken).ConfigureAwait(false))
            {
                await TryAsync(issuer, () => DisconnectAsync(issuer, cancellationToken)).ConfigureAwait(false);
            }
        }
    });

    private async Task DisconnectAsync(string issuer, CancellationToken cancellationToken)
    {
        WarnOfRevocation(await Authenticator.SignOutOfIdentityProviderAsync(issuer, Local, cancellationToken).ConfigureAwait(false));
        if (PassThru)
        {
            WriteProvider(issuer);
        }
    }
}
