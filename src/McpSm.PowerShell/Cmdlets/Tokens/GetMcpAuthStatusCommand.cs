using System.Management.Automation;
using McpSm.Core;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Tokens;

/// <summary>Returns the sign-in status of servers, without the network and without opening a vault.</summary>
[Cmdlet(VerbsCommon.Get, "McpAuthStatus", HelpUri = HelpUris.Folder + "Get-McpAuthStatus.md")]
[OutputType(typeof(McpAuthStatus))]
public sealed class GetMcpAuthStatusCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards of servers; by default all servers.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[]? Name { get; set; }

    /// <summary>Reads the token and asks the server whether it accepts it.</summary>
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
        // Read the index directly: constructing Authenticator would slow down a shell prompt that calls this.
        WriteObject(McpAuthStatus.Read(AppEnvironment, servers, out var failure), enumerateCollection: true);
        if (failure is not null)
        {
            WriteWarning(AppEnvironment.Remedies.Explain(failure));
        }
    }

    /// <summary>Asks the server about its token. Writes a warning, not an error, if the server could not be asked.</summary>
    private async Task<McpAuthStatus> ValidateAsync(McpServer server, CancellationToken cancellationToken)
    {
        try
        {
            return await Authenticator.Tester.ValidateAsync(server, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            Warn($"The token of '{server.Name}' could not be validated. {e.Message}");
            return Authenticator.Status(server);
        }
    }
}
