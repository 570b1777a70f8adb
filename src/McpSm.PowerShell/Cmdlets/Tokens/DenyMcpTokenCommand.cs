using System.Management.Automation;
using System.Net;
using System.Security;
using McpSm.Core;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Servers;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Tokens;

/// <summary>Marks a token as rejected by its server, so that the next call renews it.</summary>
[Cmdlet(VerbsLifecycle.Deny, "McpToken", HelpUri = HelpUris.Folder + "Deny-McpToken.md", SupportsShouldProcess = true)]
[OutputType(typeof(McpAuthStatus))]
public sealed class DenyMcpTokenCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards of servers.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>The token that the server rejected. The cmdlet asks for it by default.</summary>
    [Parameter(Position = 1)]
    public SecureString? Token { get; set; }

    /// <summary>Returns the status afterwards.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord() =>
        RunFor(Find(Name).Where(s => ShouldProcess(s.Name, "Mark token as rejected")).ToList(), async (server, cancellationToken) =>
        {
            if (!await Authenticator.Tokens.RejectAsync(server, await ReadAsync(server, cancellationToken).ConfigureAwait(false), cancellationToken)
                .ConfigureAwait(false))
            {
                Warn($"This is not the stored token of '{server.Name}'. It was replaced already.");
            }
            if (PassThru)
            {
                Write(Authenticator.Status(server));
            }
        });

    private async Task<string> ReadAsync(McpServer server, CancellationToken cancellationToken)
    {
        if (Token is not null)
        {
            return new NetworkCredential("", Token).Password;
        }
        using var secret = Interaction.CanAnswer
            ? await new HostInput(this).ReadSecretAsync($"Rejected token of {server.Name}: ", cancellationToken).ConfigureAwait(false) : null;
        return secret is not null ? new NetworkCredential("", secret).Password : throw new McpAuthException(ErrorReason.InteractionRequired,
            "The token must be typed, but this session cannot ask for it.", new RejectTokenStep(server));
    }
}
