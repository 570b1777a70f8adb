using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;

namespace McpSm.Commands.Remedies;

/// <summary>Renders remedies as command lines of <c>mcpsm</c>, for any shell. Ids of servers do not need quotes.</summary>
internal sealed class CliRemedyFormatter : RemedyFormatter
{
    private const string VaultPlaceholder = "<vault>";

    private CliRemedyFormatter()
    {
    }

    public static CliRemedyFormatter Instance { get; } = new();

    protected override string Render(NextStep step) => step switch
    {
        SignInStep to => ForServer("auth login", to.Server, step),
        SignInToAllStep => "mcpsm auth login-all",
        RefreshStep of => ForServer("auth refresh", of.Server, step),
        SetTokenStep of => NextCommand.For("auth set", of.Server.Id, of.Unattended ? "-" : ""),
        RejectTokenStep of => ForServer("auth reject", of.Server, step),
        ReadTokenStep of => NextCommand.For("auth token", of.Server.Id, of.AsHeader ? "--header" : ""),
        RevokeStep of => ForServer("auth revoke", of.Server, step),
        UpdateServerStep of => ForServer("server update", of.Server, step),
        ForgetClientStep of => ForServer("auth forget", of.Server, step),
        ImportStep of => NextCommand.For("import", of.Server.Id, of.Force ? "--force" : ""),
        TestServerStep of => ForServer("test", of.Server, step),
        ListServersStep => "mcpsm list",
        AddServerStep { Url: var url } => "mcpsm add <name> --type http --url " + ShellQuoting.QuoteOrPlaceholder(url, "<url>"),
        UseVaultStep { Vault: null, Move: var move } => move ? "mcpsm vault use <name> --move" : "mcpsm vault use <name>",
        UseVaultStep { Vault: { } vault, Move: var move } => NextCommand.For("vault use", vault, move ? "--move" : "", VaultPlaceholder),
        ListVaultsStep => "mcpsm vault list",
        RekeyVaultStep { Passphrase: var passphrase } => passphrase ? "mcpsm vault rekey --passphrase" : "mcpsm vault rekey --key-file",
        UseIdentityProviderStep { Issuer: null } => string.Join(' ', ["mcpsm identity use <issuer>", .. step.Options.Select(Render)]),
        UseIdentityProviderStep { Issuer: { } issuer } => NextCommand.For("identity use", issuer, Options(step), "<issuer>"),
        SignInToIdentityProviderStep => string.Join(' ', ["mcpsm identity login", .. step.Options.Select(Render)]),
        RemoveIdentityProviderStep => "mcpsm identity none",
        // Cmdlets of the PowerShell module SecretManagement.
        RemoveSecretStep { Name: var name } => $"Remove-Secret {ShellQuoting.QuoteOrPlaceholder(name, "<name>")}",
        ListSecretsStep => "Get-SecretInfo",
        _ => throw new ArgumentOutOfRangeException(nameof(step), step.GetType().Name, "The step has no command."),
    };

    protected override string Render(StepOption option) => option.Kind switch
    {
        StepOptionKind.ClientId => Valued("--client-id", option, "<id>"),
        StepOptionKind.ClientSecret => "--client-secret-from-env <NAME>",
        StepOptionKind.ClientCredentials => "--client-credentials",
        StepOptionKind.ManagedIdentity => "--managed-identity",
        StepOptionKind.AssertionFile => Valued("--assertion-file", option, "<file>"),
        StepOptionKind.AssertionVariable => Valued("--assertion-from-env", option, "<NAME>"),
        StepOptionKind.IdentityProvider => Valued("--identity-provider", option, "<url>"),
        StepOptionKind.Issuer => Valued("--issuer", option, "<url>"),
        StepOptionKind.Scope => Valued("--scope", option, option.Values.Count == 0 ? "<scope>..." : "<scope>"),
        StepOptionKind.Header => $"--header {ShellQuoting.QuoteOrPlaceholder(option.Values[0], "<name>")}=<value>",
        StepOptionKind.AuthorizeParameter => $"--authorize-param {ShellQuoting.QuoteOrPlaceholder(option.Values[0] + "=", "<key>=")}",
        StepOptionKind.OAuthOn => "--oauth",
        StepOptionKind.AllowLegacyEndpoints => "--allow-legacy-endpoints",
        StepOptionKind.DPoP => Valued("--dpop", option, "<mode>"),
        StepOptionKind.Url => Valued("--url", option, "<url>"),
        StepOptionKind.CallbackPort => $"--callback-port {(option.Values.Count == 0 ? "<port>" : option.Values[0])}",
        StepOptionKind.Timeout => "--timeout <seconds>",
        StepOptionKind.NoBrowser => "--no-browser",
        StepOptionKind.DeviceCode => "--device",
        StepOptionKind.Vault => Valued("--vault", option, VaultPlaceholder),
        _ => throw new ArgumentOutOfRangeException(nameof(option), option.Kind, "The option has no spelling."),
    };

    private string ForServer(string verb, ServerReference server, NextStep step) => NextCommand.For(verb, server.Id, Options(step));

    private string Options(NextStep step) => string.Join(' ', step.Options.Select(Render));

    private static string Valued(string name, StepOption option, string placeholder) => $"{name} {option.Template
        ?? (option.Values.Count == 0 ? placeholder : string.Join(' ', option.Values.Select(value => ShellQuoting.QuoteOrPlaceholder(value, placeholder))))}";
}
