using System.Management.Automation;
using McpSm.Core;
using McpSm.Core.Servers;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Vaults;

/// <summary>Takes plaintext tokens and secrets of the npm tool into the vault, then removes them there.</summary>
[Cmdlet(VerbsData.Import, "McpCredential", HelpUri = HelpUris.Folder + "Import-McpCredential.md", SupportsShouldProcess = true)]
[OutputType(typeof(McpImport))]
public sealed class ImportMcpCredentialCommand : McpCmdlet
{
    /// <summary>Names, ids or wildcards of servers; all where absent.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[]? Name { get; set; }

    /// <summary>The vault to keep it in.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(VaultCompleter))]
    public string? Vault { get; set; }

    /// <summary>Also removes plaintext in whose place the vault has something else.</summary>
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
                    Warn($"oauth-tokens.json has tokens of '{foreign}', which is no server here. They were left.");
                }
                return Task.CompletedTask;
            }));
        }
    }

    private async Task ImportAsync(McpServer server, CancellationToken cancellationToken)
    {
        var secrets = Authenticator.Plaintext.Find(server);
        if (secrets.Count == 0 || !await Dispatcher.AskAsync(() => ShouldProcess(server.Name, $"Take {string.Join(", ", secrets)} into the vault"), cancellationToken).ConfigureAwait(false))
        {
            return;
        }
        foreach (var done in await Authenticator.Plaintext.RunAsync(server, Vault, Force, cancellationToken).ConfigureAwait(false))
        {
            if (!done.Removed)
            {
                Warn($"The {new PlaintextSecret(done.Kind, done.Header, done.File).ToString()} of '{server.Name}' was left: {done.Reason}.");
            }
            Write(done);
        }
    }
}
