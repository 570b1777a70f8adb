using McpSm.Commands.Remedies;
using McpSm.Core.Errors;
using McpSm.Core.Management.McpRemote;
using McpSm.Core.Servers;

namespace McpSm.Commands.Vaults;

/// <summary><c>import --from mcp-remote</c>: takes over servers and tokens of the npm package <c>mcp-remote</c>.</summary>
internal sealed class McpRemoteImport(CommandContext context, bool isDryRun, bool force, string? vault)
{
    /// <summary>The value of <c>--from</c>.</summary>
    public const string Source = "mcp-remote";

    /// <param name="urls">URLs as they were given to <c>mcp-remote</c>.</param>
    /// <param name="only">The servers to take over alone; null for all.</param>
    /// <param name="cancellationToken">Cancels the import.</param>
    public async Task<int> RunAsync(IReadOnlyList<string> urls, IReadOnlyList<McpServer>? only, CancellationToken cancellationToken)
    {
        var importer = context.Authenticator.McpRemote;
        var plan = importer.Find(urls, only, Directory.GetCurrentDirectory(), cancellationToken);
        var failures = 0;
        foreach (var item in plan.Items)
        {
            if (isDryRun)
            {
                Describe(item);
                continue;
            }
            var code = await context.RunAsync(() => ImportAsync(importer, item, cancellationToken), NameOf(item)).ConfigureAwait(false);
            if (code == ExitCode.Cancelled)
            {
                return code;
            }
            failures += code == ExitCode.Done ? 0 : 1;
        }
        foreach (var (file, reason) in plan.Left)
        {
            context.Warn($"{UntrustedText.Sanitize(file)} was left: {reason}.");
        }
        if (plan.Left.Any(left => left.Reason.EndsWith("unknown", StringComparison.Ordinal)))
        {
            context.Hint("Name the server of a file with --url and the URL that mcp-remote was started with.");
        }
        if (plan.Items.Count == 0)
        {
            context.Hint("No servers or tokens of mcp-remote found that are not here yet.");
        }
        return failures == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private async Task<int> ImportAsync(McpRemoteImporter importer, McpRemoteItem item, CancellationToken cancellationToken)
    {
        var (server, isNew, result) = await importer.RunAsync(item, vault, force, context.Warn, cancellationToken).ConfigureAwait(false);
        if (isNew)
        {
            context.Succeed($"{server.Name}: server added. An MCP client starts it with: {NextCommand.For("proxy", server.Id)}");
        }
        if (result is null)
        {
            return ExitCode.Done;
        }
        var what = $"OAuth tokens in {UntrustedText.Sanitize(Path.GetFileName(result.File))}";
        if (result is { Vault: not null, Removed: true })
        {
            context.Succeed($"{server.Name}: {what} moved to the vault '{result.Vault}'.");
            return ExitCode.Done;
        }
        if (result.Removed)
        {
            context.Succeed($"{server.Name}: {what} removed; {result.Reason}.");
            return ExitCode.Done;
        }
        context.Warn($"{server.Name}: {what} {(result.Vault is null ? "were not moved" : "are in the vault, and also in the file")}: {result.Reason}.");
        return ExitCode.Failed;
    }

    private void Describe(McpRemoteItem item)
    {
        if (item.Server is null)
        {
            context.Print($"{NameOf(item)}: would add the server at {UntrustedText.Sanitize(WithoutQuery(item.Entry.Url))}.");
        }
        if (item.Tokens is { } tokens)
        {
            context.Print($"{NameOf(item)}: would move the OAuth tokens in {UntrustedText.Sanitize(Path.GetFileName(tokens.File))} to the vault.");
        }
    }

    private static string NameOf(McpRemoteItem item) => item.Server?.Name ?? UntrustedText.Sanitize(item.Entry.Name ?? WithoutQuery(item.Entry.Url));

    /// <summary>Some servers expect their key in the query of the URL.</summary>
    private static string WithoutQuery(string url) => url.Split('?')[0];
}
