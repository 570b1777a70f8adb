using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Core.Configuration;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;

namespace McpSm.Commands.Identity;

/// <summary><c>identity use</c>: sets the identity provider of the organisation.</summary>
internal sealed class IdentityUseCommand : IdentitySubcommand
{
    private readonly Argument<string> _issuer = new("issuer") { Description = "Value of 'issuer' in its OpenID Connect metadata" };
    private readonly Option<string?> _clientId = new("--client-id") { Description = "Id of the client that is registered there", HelpName = "id" };
    private readonly SecretVariableOption _secret = new("--client-secret-from-env", "Variable that holds the client secret");
    private readonly Option<string[]> _scopes =
        new("--scope") { Description = "Scopes to request in addition to openid", AllowMultipleArgumentsPerToken = true };
    private readonly Option<string?> _vault = VaultOption.Create("Vault to store the client secret in");

    public IdentityUseCommand(CommandContext context) : base(context, "use", "Use this identity provider for every server that trusts it")
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
        Context.Succeed($"Mcpsm uses {UntrustedText.Sanitize(provider.Issuer)} for every server that trusts it.");
        Context.Hint("Next:");
        Context.Hint("  mcpsm identity login");
        return ExitCode.Done;
    }
}
