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

/// <summary>Says that the server refused a token, so that the next call renews it.</summary>
[Cmdlet(VerbsLifecycle.Deny, "McpToken", HelpUri = HelpUris.Folder + "Deny-McpToken.md", SupportsShouldProcess = true)]
[OutputType(typeof(McpAuthStatus))]
public sealed class DenyMcpTokenCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>The token that the server refused; asked for if it is absent.</summary>
    [Parameter(Position = 1)]
    public SecureString? Token { get; set; }

    /// <summary>Emits the status afterwards.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord() =>
        RunFor(Find(Name).Where(s => ShouldProcess(s.Name, "Mark token as refused")).ToList(), async (server, cancellationToken) =>
        {
            if (!await Authenticator.Tokens.RejectAsync(server, await ReadAsync(server, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false))
            {
                Warn($"That is not the token kept for '{server.Name}': another has already taken its place.");
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
        using var typed = Interaction.CanAnswer
            ? await new HostInput(this).ReadSecretAsync($"Refused token of {server.Name}: ", cancellationToken).ConfigureAwait(false) : null;
        return typed is not null ? new NetworkCredential("", typed).Password : throw new McpAuthException(ErrorReason.InteractionRequired,
            "The token is asked for, and nobody can answer here.", new RejectTokenStep(server));
    }
}
