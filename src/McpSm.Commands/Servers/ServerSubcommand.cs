using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Commands.Servers;

/// <summary>A command with the argument <c>server</c>: an id, a name or a URL of a server in the catalog.</summary>
internal abstract class ServerSubcommand : McpsmSubcommand
{
    /// <param name="context">The console and the services of this run.</param>
    /// <param name="name">The word of the command.</param>
    /// <param name="description">What the command does, for the help.</param>
    /// <param name="isOptional">Whether the command works on all servers if the argument is absent.</param>
    protected ServerSubcommand(CommandContext context, string name, string description, bool isOptional = false) : base(context, name, description)
    {
        Server = new Argument<string?>("server") { Description = isOptional ? "Server id, name or URL (default: all servers)" : "Server id, name or URL" };
        if (isOptional)
        {
            Server.Arity = ArgumentArity.ZeroOrOne;
        }
        Add(Server);
    }

    protected Argument<string?> Server { get; }

    public override IEnumerable<string?> FindVaults(ParseResult parsed)
    {
        var all = Context.Catalog.List();
        return FindVaultsOf(parsed.GetValue(Server) is not { } name ? all : ServerLookup.Find(all, name) is { } server ? [server] : [], parsed);
    }

    public override string? FindTarget(ParseResult parsed)
    {
        if (parsed.GetValue(Server) is not { } given)
        {
            return null;
        }
        var all = Context.Catalog.List();
        return ServerLookup.Find(all, given)?.Name ?? (ServerLookup.IsUrl(given) ? null : throw ServerLookup.Failure(all, given, mayBeSecret: true));
    }

    /// <exception cref="McpAuthException">ServerNotFound; InvalidValue: the name is ambiguous.</exception>
    protected McpServer GetServer(ParseResult parsed) => Context.Catalog.Get(parsed.GetValue(Server)!);

    /// <summary>Returns the server that the user named, or all servers.</summary>
    /// <exception cref="McpAuthException">ServerNotFound; InvalidValue: the name is ambiguous.</exception>
    protected IReadOnlyList<McpServer> GetServers(ParseResult parsed)
    {
        var all = Context.Catalog.List();
        return parsed.GetValue(Server) is { } name ? [ServerLookup.Get(all, name)] : all;
    }
}
