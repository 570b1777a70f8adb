using System.CommandLine;
using McpSm.Commands.Remedies;

namespace McpSm.Commands.Servers;

/// <summary><c>server update</c>: changes a server in the catalog, and its secrets.</summary>
internal sealed class ServerUpdateCommand : ServerSubcommand
{
    private readonly Option<string?> _name = new("--name") { Description = "New name" };
    private readonly Option<string?> _url = new("--url", "-u") { Description = "New URL" };
    private readonly ServerOptions _options = new(typeRequired: false);

    public ServerUpdateCommand(CommandContext context) : base(context, "update", "Change a server's name, URL or sign-in options")
    {
        Add(_name);
        Add(_url);
        _options.AddTo(this);
        Examples =
        [
            "mcpsm server update my-api --url https://example.com/v2/mcp",
            "mcpsm server update my-api --issuer https://login.example.com --scope mcp:read",
            "mcpsm server update my-api --dpop always",
            "printenv API_KEY | mcpsm server update my-api --header x-key=-",
            "mcpsm server update my-api --authorize-param access_type=offline   # Google",
            "mcpsm server update my-api --allow-legacy-endpoints=false",
        ];
    }

    public override bool Changes(ParseResult parsed) => true;

    public override IEnumerable<string?> FindVaults(ParseResult parsed) => _options.HaveSecret(parsed) ? base.FindVaults(parsed) : [];

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var current = GetServer(parsed);
        var update = await _options.ReadAsync(parsed, Context, cancellationToken).ConfigureAwait(false);
        var (server, hasNewOrigin, revocationFailure) = await Context.Authenticator.Servers.UpdateAsync(current,
            update with { Name = parsed.GetValue(_name), Url = parsed.GetValue(_url) }, cancellationToken).ConfigureAwait(false);
        Context.Succeed($"Server '{server.Name}' updated.");
        Context.WarnIfNotRevoked(revocationFailure);
        if (hasNewOrigin)
        {
            Context.Warn($"the server has a new origin, so its old credential is no longer used. Sign in with: {NextCommand.For("auth login", server.Id)}");
        }
        return ExitCode.Done;
    }
}
