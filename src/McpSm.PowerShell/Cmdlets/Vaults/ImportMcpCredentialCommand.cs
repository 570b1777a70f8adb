using System.Management.Automation;
using McpSm.Core;
using McpSm.Core.Servers;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Vaults;

/// <summary>Moves plaintext tokens and secrets of the npm tool to the vault.</summary>
[Cmdlet(VerbsData.Import, "McpCredential", HelpUri = HelpUris.Folder + "Import-McpCredential.md", SupportsShouldProcess = true)]
[OutputType(typeof(McpImport))]
public sealed class ImportMcpCredentialCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards of servers; by default all servers.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[]? Name { get; set; }

    /// <summary>The vault to store it in.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(VaultCompleter))]
    public string? Vault { get; set; }

    /// <summary>Also removes a plaintext secret if the vault has another value for it.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
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
