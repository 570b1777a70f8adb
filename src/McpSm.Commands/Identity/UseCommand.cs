using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Core.Configuration;
using McpSm.Core.Discovery;

namespace McpSm.Commands.Identity;

/// <summary><c>identity use</c>: sets the identity provider of the organisation.</summary>
internal sealed class UseCommand : IdentitySubcommand
{
    private readonly Argument<string> _issuer = new("issuer") { Description = "The 'issuer' of its OpenID Connect metadata" };
    private readonly Option<string?> _clientId = new("--client-id") { Description = "The id of the client registered there", HelpName = "id" };
    private readonly SecretVariableOption _secret = new("--client-secret-from-env", "The variable that holds the client's secret");
    private readonly Option<string[]> _scopes = new("--scope") { Description = "Scopes to ask for beside openid", AllowMultipleArgumentsPerToken = true };
    private readonly Option<string?> _vault = VaultOption.Create("The vault to keep the secret in");

    public UseCommand(CommandContext context) : base(context, "use", "Sign in through it wherever a server takes its word")
    {
        Add(_issuer);
        Add(_clientId);
        Add(_secret);
        Add(_scopes);
        Add(_vault);
        Examples =
        [
            "mcpsm identity use https://login.example.com --client-id abc",
            "mcpsm identity use https://login.example.com --scope offline_access",
        ];
    }

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var secret = _secret.Read(parsed, Context);
        var provider = new IdentityProviderSetting(parsed.GetValue(_issuer)!, parsed.GetValue(_clientId), Scopes.Typed(parsed.GetValue(_scopes) ?? []));
        await Context.Authenticator.IdentityProviders.SetAsync(provider, secret, parsed.GetValue(_vault), cancellationToken).ConfigureAwait(false);
        Context.Succeed("Servers whose issuer takes its word are signed in to through it.");
        Context.Hint("Next:");
        Context.Hint("  mcpsm identity login");
        return ExitCode.Done;
    }
}
