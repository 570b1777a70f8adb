using System.CommandLine;
using McpSm.Clients.Management;
using McpSm.Commands.CommandLine;
using McpSm.Core.Errors;

namespace McpSm.Commands.Clients;

/// <summary>A command that changes the configuration files of MCP clients.</summary>
internal abstract class ClientSubcommand(CommandContext context, string name, string description) : McpsmSubcommand(context, name, description)
{
    private readonly Option<bool> _project = new("--project") { Description = "Use the client's file in the current folder" };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Show what would change, and write nothing" };

    protected Argument<string?> Client { get; } = new("client")
    {
        Description = "Client id, from 'mcpsm client list --known'",
        Arity = ArgumentArity.ZeroOrOne,
    };

    protected Option<bool> All { get; } = new("--all") { Description = "All clients of this machine, instead of one" };

    protected ClientLocator Locator => field ??= ClientLocator.Create(Context.AppEnvironment, Context.Console.CurrentFolder);

    protected ClientConfiguration Configuration => field ??= new ClientConfiguration(Context.AppEnvironment, Locator);

    public override bool Changes(ParseResult parsed) => !IsDryRun(parsed);

    protected void AddFileOptions()
    {
        Add(_project);
        Add(_dryRun);
    }

    protected bool IsDryRun(ParseResult parsed) => parsed.GetValue(_dryRun);

    /// <summary>Splits the words of the user into a client and servers. With <c>--all</c>, the first word is a server too.</summary>
    /// <returns>The client, or null for all clients; and the servers as the user named them.</returns>
    /// <exception cref="McpAuthException">InvalidValue: a client or a server is missing.</exception>
    protected (string? Client, IReadOnlyList<string> Servers) ReadWords(ParseResult parsed, Argument<string[]> servers)
    {
        var isForAll = parsed.GetValue(All);
        var words = new[] { parsed.GetValue(Client) }.Concat(parsed.GetValue(servers) ?? []).OfType<string>().ToList();
        var names = isForAll ? words : words[Math.Min(1, words.Count)..];
        return names.Count > 0 ? (isForAll ? null : words[0], names) : throw new McpAuthException(ErrorReason.InvalidValue,
            isForAll ? "The command needs a server." : "The command needs a client and a server.", $"For example: {Examples[0]}");
    }

    /// <summary>Returns the files of the clients that the user means.</summary>
    /// <param name="parsed">The arguments.</param>
    /// <param name="client">The id of a client; null for all clients of this machine.</param>
    /// <exception cref="McpAuthException">InvalidValue: the client is unknown, or has no such file.</exception>
    protected IReadOnlyList<ClientLocation> FindLocations(ParseResult parsed, string? client)
    {
        var scope = parsed.GetValue(_project) ? ClientScope.Project : ClientScope.User;
        if (client is not null)
        {
            return [Locator.Get(ClientLocator.Get(client), scope)];
        }
        // Some clients share one file, such as the project's file of VS Code and of its preview.
        return [.. McpSm.Clients.Catalog.ClientCatalog.Clients.Where(c => c.Ended is null && Locator.IsInstalled(c)).Select(c => Locator.Find(c, scope))
            .OfType<ClientLocation>().DistinctBy(location => (location.Path, string.Join('/', location.Client.Servers)))];
    }

    /// <summary>Does the work for each file. A failure for one client does not keep the others from theirs.</summary>
    protected async Task<int> ForEachAsync(IReadOnlyList<ClientLocation> locations, Func<ClientLocation, Task<IReadOnlyList<ClientChange>>> work, bool isDryRun)
    {
        var exitCode = ExitCode.Done;
        foreach (var location in locations)
        {
            var one = await Context.RunAsync(async () =>
            {
                foreach (var change in await work(location).ConfigureAwait(false))
                {
                    Print(change, isDryRun);
                }
                return ExitCode.Done;
            }, locations.Count == 1 ? null : location.Client.Id).ConfigureAwait(false);
            exitCode = exitCode == ExitCode.Done ? one : exitCode;
        }
        return exitCode;
    }

    private void Print(ClientChange change, bool isDryRun)
    {
        if (isDryRun)
        {
            foreach (var line in change.Diff.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                Context.Print(line.TrimEnd('\r'));
            }
        }
        var verb = change.Action switch
        {
            ClientAction.Added => isDryRun ? "would be added to" : "was added to",
            ClientAction.Updated => isDryRun ? "would be updated in" : "was updated in",
            ClientAction.Removed => isDryRun ? "would be removed from" : "was removed from",
            _ => "is up to date in",
        };
        Context.Succeed($"'{change.Name}' {verb} {change.Location.Client.Title} ({change.Location.Path}).");
    }
}
