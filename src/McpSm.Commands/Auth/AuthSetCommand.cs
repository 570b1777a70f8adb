using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Remedies;
using McpSm.Commands.Servers;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Commands.Auth;

/// <summary><c>auth set</c>: stores a bearer token that the user has obtained elsewhere.</summary>
internal sealed class AuthSetCommand : ServerSubcommand
{
    private readonly Argument<string?> _token = new("token")
    {
        Description = "The token; - reads standard input (default: prompt)",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly Option<string?> _vault = VaultOption.Create("Vault to store the token in");

    public AuthSetCommand(CommandContext context) : base(context, "set", "Store a bearer token for a server")
    {
        Add(_token);
        Add(_vault);
        Examples = ["mcpsm auth set my-api", "printenv API_TOKEN | mcpsm auth set my-api -"];
    }

    public override bool Changes(ParseResult parsed) => true;

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var all = Context.Catalog.List();
        var name = parsed.GetValue(Server)!;
        // If the user left the server out, this argument is the token: the message must not repeat it.
        var server = ServerLookup.Find(all, name) ?? throw ServerLookup.Failure(all, name, mayBeSecret: true);
        var token = parsed.GetValue(_token) is { } given
            ? await SecretInput.ReadTokenAsync(given, Context, cancellationToken).ConfigureAwait(false)
            : await PromptAsync(server, cancellationToken).ConfigureAwait(false);
        var revocationFailure = await Context.Authenticator.Servers.SetTokenAsync(server, token, parsed.GetValue(_vault), cancellationToken)
            .ConfigureAwait(false);
        Context.Succeed($"Bearer token of '{server.Name}' stored.");
        if (revocationFailure is not null)
        {
            Context.Warn($"the issuer did not confirm the revocation of the previous sign-in. {revocationFailure}");
        }
        return ExitCode.Done;
    }

    private async Task<string> PromptAsync(McpServer server, CancellationToken cancellationToken)
    {
        var remedy = $"Pipe it in: {NextCommand.For("auth set", server.Id, "-")}";
        if (!Context.Interaction.CanAnswer || !Context.Console.IsInputTerminal)
        {
            throw new McpAuthException(ErrorReason.InteractionRequired, "The token must be typed at a terminal, but this session is not interactive.", remedy);
        }
        return await Context.Console.ReadSecretAsync($"Token for {server.Name}: ", cancellationToken).ConfigureAwait(false)
            ?? throw new McpAuthException(ErrorReason.InteractionRequired, "Standard input ended before a token was typed.", remedy);
    }
}
