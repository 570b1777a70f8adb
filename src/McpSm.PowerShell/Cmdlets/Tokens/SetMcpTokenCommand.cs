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

/// <summary>Keeps a bearer token.</summary>
[Cmdlet(VerbsCommon.Set, "McpToken", HelpUri = HelpUris.Folder + "Set-McpToken.md", DefaultParameterSetName = "Token", SupportsShouldProcess = true)]
[OutputType(typeof(McpAuthStatus))]
public sealed class SetMcpTokenCommand : McpCmdlet
{
    private const string Given = "Token";
    private const string Piped = "InputObject";
    private const string FromVariable = "FromEnvironment";

    /// <summary>Ids, names, URLs or wildcards.</summary>
    [Parameter(ParameterSetName = Given, Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = FromVariable, Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = Piped, Position = 0, Mandatory = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>The token; asked for if it is absent.</summary>
    [Parameter(ParameterSetName = Given, Position = 1)]
    public SecureString? Token { get; set; }

    /// <summary>The token, through the pipeline.</summary>
    [Parameter(ParameterSetName = Piped, Mandatory = true, ValueFromPipeline = true)]
    public SecureString? InputObject { get; set; }

    /// <summary>The environment variable that holds the token.</summary>
    [Parameter(ParameterSetName = FromVariable, Mandatory = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(VariableCompleter))]
    public string FromEnvironment { get; set; } = "";

    /// <summary>The vault to keep it in.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(VaultCompleter))]
    public string? Vault { get; set; }

    /// <summary>Emits the status afterwards.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private readonly List<SecureString> _piped = [];

    protected override void ProcessRecord()
    {
        if (InputObject is null)
        {
            Keep();
            return;
        }
        // Which of several is meant is not for us to guess.
        _piped.Add(InputObject);
    }

    protected override void EndProcessing()
    {
        if (_piped.Count > 1)
        {
            WriteError(ErrorRecords.Record(new McpAuthException(ErrorReason.InvalidValue,
                $"A server has one token, and {_piped.Count} came through the pipeline. None was kept.", "Pipe in one token."), null));
        }
        else if (_piped is [var token])
        {
            Token = token;
            Keep();
        }
    }

    private void Keep() =>
        RunFor(Find(Name).Where(s => ShouldProcess(s.Name, "Keep bearer token")).ToList(), async (server, cancellationToken) =>
        {
            var failure = await Authenticator.Servers.SetTokenAsync(server, await ReadAsync(server, cancellationToken).ConfigureAwait(false),
                Vault, cancellationToken).ConfigureAwait(false);
            if (failure is not null)
            {
                Warn($"The sign-in that the token replaces was not confirmed as revoked. {failure}");
            }
            if (PassThru)
            {
                Write(Authenticator.Status(server));
            }
        });

    private async Task<string> ReadAsync(McpServer server, CancellationToken cancellationToken)
    {
        if (ParameterSetName == FromVariable)
        {
            return AppEnvironment.SecretVariable(FromEnvironment) ?? throw new McpAuthException(ErrorReason.InvalidValue,
                "The environment variable that -FromEnvironment names is not set.",
                $"Set it, or leave -FromEnvironment out to be asked: {new SetTokenStep(server)}");
        }
        if (Token is not null)
        {
            return new NetworkCredential("", Token).Password;
        }
        using var typed = Interaction.CanAnswer
            ? await new HostInput(this).ReadSecretAsync($"Token for {server.Name}: ", cancellationToken).ConfigureAwait(false) : null;
        if (typed is null)
        {
            throw new McpAuthException(ErrorReason.InteractionRequired, "The token is asked for, and nobody can answer here.",
                new SetTokenStep(server) { Unattended = true });
        }
        return new NetworkCredential("", typed).Password;
    }
}
