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

/// <summary>Stores a bearer token.</summary>
[Cmdlet(VerbsCommon.Set, "McpToken", HelpUri = HelpUris.Folder + "Set-McpToken.md", DefaultParameterSetName = "Token", SupportsShouldProcess = true)]
[OutputType(typeof(McpAuthStatus))]
public sealed class SetMcpTokenCommand : McpCmdlet
{
    private const string FromParameter = "Token";
    private const string FromPipeline = "InputObject";
    private const string FromVariable = "FromEnvironment";

    /// <summary>Ids, names, URLs or wildcards of servers.</summary>
    [Parameter(ParameterSetName = FromParameter, Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = FromVariable, Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = FromPipeline, Position = 0, Mandatory = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>The token. The cmdlet asks for it by default.</summary>
    [Parameter(ParameterSetName = FromParameter, Position = 1)]
    public SecureString? Token { get; set; }

    /// <summary>The token from the pipeline.</summary>
    [Parameter(ParameterSetName = FromPipeline, Mandatory = true, ValueFromPipeline = true)]
    public SecureString? InputObject { get; set; }

    /// <summary>The environment variable that holds the token.</summary>
    [Parameter(ParameterSetName = FromVariable, Mandatory = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(VariableCompleter))]
    public string FromEnvironment { get; set; } = "";

    /// <summary>The vault to store it in.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(VaultCompleter))]
    public string? Vault { get; set; }

    /// <summary>Returns the status afterwards.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private readonly List<SecureString> _piped = [];

    protected override void ProcessRecord()
    {
        if (InputObject is null)
        {
            Store();
            return;
        }
        // Wait for the end of the pipeline: several tokens are an error.
        _piped.Add(InputObject);
    }

    protected override void EndProcessing()
    {
        if (_piped.Count > 1)
        {
            WriteError(ErrorRecords.Create(new McpAuthException(ErrorReason.InvalidValue,
                $"The pipeline contains {_piped.Count} tokens, but a server has one. No token was stored.", "Pipe one token."), null));
        }
        else if (_piped is [var token])
        {
            Token = token;
            Store();
        }
    }

    private void Store() =>
        RunFor(Find(Name).Where(s => ShouldProcess(s.Name, "Store bearer token")).ToList(), async (server, cancellationToken) =>
        {
            var failure = await Authenticator.Servers.SetTokenAsync(server, await ReadAsync(server, cancellationToken).ConfigureAwait(false),
                Vault, cancellationToken).ConfigureAwait(false);
            if (failure is not null)
            {
                Warn($"The issuer did not confirm that it revoked the sign-in that the token replaces. {failure}");
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
                "The environment variable in -FromEnvironment is not set.",
                $"Set the variable, or type the token: {new SetTokenStep(server)}");
        }
        if (Token is not null)
        {
            return new NetworkCredential("", Token).Password;
        }
        using var secret = Interaction.CanAnswer
            ? await new HostInput(this).ReadSecretAsync($"Token for {server.Name}: ", cancellationToken).ConfigureAwait(false) : null;
        if (secret is null)
        {
            throw new McpAuthException(ErrorReason.InteractionRequired, "The token must be typed, but this session cannot ask for it.",
                new SetTokenStep(server) { Unattended = true });
        }
        return new NetworkCredential("", secret).Password;
    }
}
