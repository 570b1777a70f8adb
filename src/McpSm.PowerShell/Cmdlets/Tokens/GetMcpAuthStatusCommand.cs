using System.Management.Automation;
using McpSm.Core;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Tokens;

/// <summary>Shows how things stand with servers, from facts alone.</summary>
[Cmdlet(VerbsCommon.Get, "McpAuthStatus", HelpUri = HelpUris.Folder + "Get-McpAuthStatus.md")]
[OutputType(typeof(McpAuthStatus))]
public sealed class GetMcpAuthStatusCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards; all servers where absent.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[]? Name { get; set; }

    /// <summary>Reads the secret and asks the server whether it takes it.</summary>
    [Parameter]
    public SwitchParameter Validate { get; set; }

    protected override void ProcessRecord()
    {
        var servers = Find(Name);
        if (Validate)
        {
            RunFor(servers, async (server, cancellationToken) => Write(await ValidateAsync(server, cancellationToken).ConfigureAwait(false)));
            return;
        }
        // Not by the front door, which would make all that signs in: a prompt waits for this.
        WriteObject(McpAuthStatus.Read(AppEnvironment, servers, out var failure), enumerateCollection: true);
        if (failure is not null)
        {
            WriteWarning(AppEnvironment.Remedies.Explain(failure));
        }
    }

    /// <summary>A bad state is never an error; what kept us from asking is a warning.</summary>
    private async Task<McpAuthStatus> ValidateAsync(McpServer server, CancellationToken cancellationToken)
    {
        try
        {
            return await Authenticator.Tester.ValidateAsync(server, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            Warn($"'{server.Name}' could not be asked. {e.Message}");
            return Authenticator.Status(server);
        }
    }
}
