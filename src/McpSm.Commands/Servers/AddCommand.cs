using System.CommandLine;
using McpSm.Commands.CommandLine;

namespace McpSm.Commands.Servers;

/// <summary><c>add</c>: adds a server to the catalog, with its settings and secrets.</summary>
internal sealed class AddCommand : McpsmSubcommand
{
    private readonly Argument<string> _name = new("name") { Description = "Name for the server" };
    private readonly Option<string> _url = new("--url", "-u") { Description = "Server URL, like https://example.com/mcp", Required = true };
    private readonly ServerOptions _options = new(typeRequired: true);

    public AddCommand(CommandContext context) : base(context, "add", "Add a remote MCP server")
    {
        Add(_name);
        Add(_url);
        _options.AddTo(this);
        Examples =
        [
            "mcpsm add my-api --type http --url https://example.com/mcp",
            "mcpsm add old --type sse --url https://example.com/sse --no-oauth --token -",
            "mcpsm add work --type http --url https://example.com/mcp --client-id abc",
        ];
    }

    public override bool Changes(ParseResult parsed) => true;

    public override IEnumerable<string?> FindVaults(ParseResult parsed) => _options.HaveSecret(parsed) ? FindVaultsOf([], parsed) : [];

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var settings = await _options.ReadAsync(parsed, Context, cancellationToken).ConfigureAwait(false);
        var server = (await Context.Authenticator.Servers.AddAsync(
            settings with { Name = parsed.GetValue(_name), Url = parsed.GetValue(_url) }, cancellationToken).ConfigureAwait(false)).Server;
        Context.Succeed($"Server '{server.Name}' added{(server.Id == server.Name ? "" : $" with the id {server.Id}")}.");
        return ExitCode.Done;
    }
}
