using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;

namespace McpSm.PowerShell.Remedies;

/// <summary>Renders remedies as cmdlets, with the names of servers that tables show.</summary>
// Internal, because PowerShell loads every public type when it imports a module, and this type would load Core.
internal sealed class CmdletRemedyFormatter : RemedyFormatter
{
    private const string Prompt = "(Read-Host -AsSecureString)";

    private CmdletRemedyFormatter()
    {
    }

    public static CmdletRemedyFormatter Instance { get; } = new();

    protected override string Render(NextStep step) => step switch
    {
        SignInStep to => Line("Connect-McpServer", Name(to.Server), Options(step)),
        SignInToAllStep => "Connect-McpServer -All",
        RefreshStep of => Line("Update-McpToken", Name(of.Server)),
        SetTokenStep of => Line("Set-McpToken", Name(of.Server), of.Unattended ? "-FromEnvironment <NAME>" : ""),
        RejectTokenStep of => Line("Deny-McpToken", Name(of.Server), "-Token $refused"),
        ReadTokenStep of => Line("Get-McpToken", Name(of.Server), of.AsHeader ? "-AsHeader" : ""),
        RevokeStep of => Line("Clear-McpToken", Name(of.Server)),
        UpdateServerStep of => Line("Set-McpServer", Name(of.Server), Options(step)),
        ForgetClientStep of => Line("Remove-McpClientRegistration", Name(of.Server)),
        ImportStep of => Line("Import-McpCredential", Name(of.Server), of.Force ? "-Force" : ""),
        TestServerStep of => Line("Test-McpServer", Name(of.Server)),
        ListServersStep => "Get-McpServer",
        AddServerStep { Url: var url } => Line("Add-McpServer <name>", Quoted(url, "<url>")),
        UseVaultStep { Vault: var vault, Move: var move } => Line("Set-McpVault", Quoted(vault, "<name>"), move ? "-Move" : ""),
        ListVaultsStep => "Get-McpVault",
        RekeyVaultStep { Passphrase: var passphrase } => Line("Set-McpVault", passphrase
            // This step is a remedy only if the variable is set and the file has another key.
            ? "-Passphrase (ConvertTo-SecureString $env:MCPSM_VAULT_PASSPHRASE -AsPlainText)" : "-NewKeyFile"),
        UseIdentityProviderStep { Issuer: var issuer } => Line("Set-McpIdentityProvider", Quoted(issuer, "<issuer>"), Options(step)),
        SignInToIdentityProviderStep => Line("Connect-McpIdentityProvider", Options(step)),
        RemoveIdentityProviderStep => "Remove-McpIdentityProvider",
        RemoveSecretStep { Name: var name } => Line("Remove-Secret", Quoted(name, "<name>")),
        ListSecretsStep => "Get-SecretInfo",
        _ => throw new ArgumentOutOfRangeException(nameof(step), step.GetType().Name, "No cmdlet is defined for the step."),
    };

    protected override string Render(StepOption option) => option.Kind switch
    {
        StepOptionKind.ClientId => Valued("-ClientId", option, "<id>"),
        StepOptionKind.ClientSecret => $"-ClientSecret {Prompt}",
        // Get-Credential asks for the id and the secret of the client.
        StepOptionKind.ClientCredentials => "-ClientCredential (Get-Credential)",
        StepOptionKind.ManagedIdentity => "-ManagedIdentity",
        StepOptionKind.AssertionFile => Valued("-AssertionFile", option, "<file>"),
        StepOptionKind.AssertionVariable => Valued("-AssertionVariable", option, "<NAME>"),
        StepOptionKind.IdentityProvider => Valued("-IdentityProvider", option, "<url>"),
        StepOptionKind.Issuer => Valued("-Issuer", option, "<url>"),
        StepOptionKind.Scope => Valued("-Scope", option, "<scope>"),
        StepOptionKind.Header => $"-Header @{{ {PowerShellQuoting.Text(option.Values[0])} = {Prompt} }}",
        StepOptionKind.AuthorizeParameter => $"-AuthorizeParameter @{{ {PowerShellQuoting.Text(option.Values[0])} = '' }}",
        StepOptionKind.OAuthOn => "-OAuth on",
        StepOptionKind.AllowLegacyEndpoints => "-AllowLegacyEndpoints",
        StepOptionKind.DPoP => Valued("-DPoP", option, "<mode>"),
        StepOptionKind.Url => Valued("-Url", option, "<url>"),
        StepOptionKind.CallbackPort => Valued("-CallbackPort", option, "<port>"),
        StepOptionKind.Timeout => "-TimeoutSec <seconds>",
        StepOptionKind.NoBrowser => "-NoBrowser",
        StepOptionKind.DeviceCode => "-UseDeviceCode",
        StepOptionKind.Vault => Valued("-Vault", option, "<vault>"),
        _ => throw new ArgumentOutOfRangeException(nameof(option), option.Kind, "No parameter is defined for the option."),
    };

    /// <summary>Returns the name of a server as one argument; the id if the name has wildcard characters, or characters that are not shown.</summary>
    private static string Name(ServerReference server) => server.Id.Length == 0 ? "<server>"
        : PowerShellQuoting.Argument(server.Name.AsSpan().ContainsAny("*?[]`") || server.Name != UntrustedText.Sanitize(server.Name) ? server.Id : server.Name);

    private static string Quoted(string? value, string placeholder) =>
        value is { Length: > 0 } && value == UntrustedText.Sanitize(value) ? PowerShellQuoting.Argument(value) : placeholder;

    private string Options(NextStep step) => string.Join(' ', step.Options.Select(Render));

    private static string Valued(string name, StepOption option, string placeholder) => $"{name} {option.Template
        ?? (option.Values.Count == 0 ? placeholder : string.Join(", ", option.Values.Select(value => Quoted(value, placeholder))))}";

    private static string Line(params IEnumerable<string> words) => string.Join(' ', words.Where(w => w.Length > 0));
}
