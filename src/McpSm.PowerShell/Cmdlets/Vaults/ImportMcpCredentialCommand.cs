using System.Management.Automation;
using McpSm.Core;
using McpSm.Core.Errors;
using McpSm.Core.Management.McpRemote;
using McpSm.Core.Servers;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Vaults;

/// <summary>Moves plaintext tokens and secrets of npm tools to the vault.</summary>
[Cmdlet(VerbsData.Import, "McpCredential", HelpUri = HelpUris.Folder + "Import-McpCredential.md", SupportsShouldProcess = true)]
[OutputType(typeof(McpImport), typeof(McpServer))]
public sealed class ImportMcpCredentialCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards of servers; by default all servers.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[]? Name { get; set; }

    /// <summary>The npm tool: <c>mcp-server-manager</c> or <c>mcp-remote</c>.</summary>
    [Parameter]
    [ValidateSet("mcp-server-manager", "mcp-remote")]
    public string From { get; set; } = "mcp-server-manager";

    /// <summary>URLs that <c>mcp-remote</c> was started with.</summary>
    [Parameter]
    public string[] Url { get; set; } = [];

    /// <summary>The vault to store it in.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(VaultCompleter))]
    public string? Vault { get; set; }

    /// <summary>Also removes a plaintext secret if the vault has another value for it.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        if (From.Equals("mcp-remote", StringComparison.OrdinalIgnoreCase))
        {
            ImportFromMcpRemote();
            return;
        }
        foreach (var server in Find(Name))
        {
            Run(cancellationToken => TryAsync(server.Name, () => ImportAsync(server, cancellationToken)));
        }
        if (Name is null)
        {
            Run(_ => TryAsync(null, () =>
            {
                foreach (var foreign in Authenticator.Plaintext.FindUnknownServers())
                {
                    Warn($"oauth-tokens.json contains tokens of '{foreign}', but no server has that name. They were not imported.");
                }
                return Task.CompletedTask;
            }));
        }
    }

    private void ImportFromMcpRemote()
    {
        var only = Name is null ? null : Find(Name).ToList();
        var folder = SessionState.Path.CurrentFileSystemLocation.ProviderPath;
        Run(cancellationToken => TryAsync(null, async () =>
        {
            var plan = Authenticator.McpRemote.Find(Url, only, folder, cancellationToken);
            foreach (var item in plan.Items)
            {
                await TryAsync(item.Server?.Name, () => ImportAsync(item, cancellationToken)).ConfigureAwait(false);
            }
            foreach (var (file, reason) in plan.Left)
            {
                Warn($"'{UntrustedText.Sanitize(file)}' was left: {reason}.");
            }
        }));
    }

    private async Task ImportAsync(McpRemoteItem item, CancellationToken cancellationToken)
    {
        var name = item.Server?.Name ?? UntrustedText.Sanitize(item.Entry.Name ?? item.Entry.Url.Split('?')[0]);
        var what = string.Join(", ", new[] { item.Server is null ? "Add the server" : null, item.Tokens is null ? null : "Move its tokens to the vault" }
            .OfType<string>());
        if (!await Dispatcher.AskAsync(() => ShouldProcess(name, what), cancellationToken).ConfigureAwait(false))
        {
            return;
        }
        var (server, isNew, result) = await Authenticator.McpRemote.RunAsync(item, Vault, Force, text => Warn($"{text}"), cancellationToken)
            .ConfigureAwait(false);
        if (isNew)
        {
            Write(server);
        }
        if (result is null)
        {
            return;
        }
        if (!result.Removed)
        {
            Warn($"The tokens of '{server.Name}' in '{UntrustedText.Sanitize(result.File)}' were not removed: {result.Reason}.");
        }
        Write(result);
    }

    private async Task ImportAsync(McpServer server, CancellationToken cancellationToken)
    {
        var secrets = Authenticator.Plaintext.Find(server);
        if (secrets.Count == 0
            || !await Dispatcher.AskAsync(() => ShouldProcess(server.Name, $"Move {string.Join(", ", secrets)} to the vault"), cancellationToken)
                .ConfigureAwait(false))
        {
            return;
        }
        foreach (var import in await Authenticator.Plaintext.RunAsync(server, Vault, Force, cancellationToken).ConfigureAwait(false))
        {
            if (!import.Removed)
            {
                Warn($"The {new PlaintextSecret(import.Kind, import.Header, import.File).ToString()} of '{server.Name}' was not removed: {import.Reason}.");
            }
            Write(import);
        }
    }
}
