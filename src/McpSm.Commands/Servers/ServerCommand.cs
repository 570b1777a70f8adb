using McpSm.Commands.CommandLine;

namespace McpSm.Commands.Servers;

/// <summary>The commands under <c>server</c>.</summary>
internal sealed class ServerCommand : CommandWithExamples
{
    public ServerCommand(CommandContext context) : base("server", "Change a server")
    {
        Add(new ServerUpdateCommand(context));
        Examples = ["mcpsm server update my-api --url https://example.com/v2/mcp"];
    }
}
