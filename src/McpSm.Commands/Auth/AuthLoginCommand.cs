using System.CommandLine;
using McpSm.Commands.Servers;

namespace McpSm.Commands.Auth;

/// <summary><c>auth login</c>: signs in to one server, which is added to the catalog if the user gives a new URL.</summary>
internal sealed class AuthLoginCommand : ServerSubcommand
{
    private readonly LoginOptions _options = new();

    public AuthLoginCommand(CommandContext context) : base(context, "login", "Sign in to a server")
    {
        Server.Description = "Server id, name or URL; the URL may be new";
        _options.AddTo(this, forOneServer: true);
        Examples =
        [
            "mcpsm auth login my-api",
            "mcpsm auth login https://example.com/mcp --name my-api",
            "mcpsm auth login my-api --no-browser            # over SSH",
            "mcpsm auth login my-api --device                # with a phone",
            "mcpsm auth login my-api --client-credentials    # in a CI job",
            "mcpsm auth login my-api --assertion-file jwt    # in Kubernetes",
        ];
    }

    public override bool Changes(ParseResult parsed) => true;

    protected override Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken) =>
        _options.RunAsync(parsed.GetValue(Server)!, parsed, Context, cancellationToken);
}
