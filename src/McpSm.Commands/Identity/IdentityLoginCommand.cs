using System.CommandLine;
using McpSm.Commands.Auth;
using McpSm.Commands.CommandLine;
using McpSm.Core.Errors;

namespace McpSm.Commands.Identity;

/// <summary><c>identity login</c>: signs in at the identity provider, or stores an ID token that another program obtained there.</summary>
internal sealed class IdentityLoginCommand : IdentitySubcommand
{
    private readonly LoginOptions _options = new();
    private readonly SecretVariableOption _idToken = new("--id-token-from-env", "Use the ID token in this variable");

    public IdentityLoginCommand(CommandContext context) : base(context, "login", "Sign in to the identity provider, once for all servers")
    {
        _options.AddTo(this, forOneServer: false);
        Add(_idToken);
        Examples = ["mcpsm identity login", "mcpsm identity login --no-browser"];
    }

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var issuer = Context.Authenticator.IdentityProviders.RequireCurrent().Issuer;
        var options = _options.Read(parsed, Context, cancellationToken);
        if (_idToken.Read(parsed, Context) is { } idToken)
        {
            await Context.Authenticator.IdentityProviders.StoreIdTokenAsync(issuer, null, idToken.Trim(), options.Vault, cancellationToken)
                .ConfigureAwait(false);
        }
        else
        {
            await Context.Authenticator.IdentityProviders.SignInAsync(issuer, options, cancellationToken).ConfigureAwait(false);
        }
        Context.Succeed($"Signed in to {UntrustedText.Sanitize(issuer)}.");
        return ExitCode.Done;
    }
}
