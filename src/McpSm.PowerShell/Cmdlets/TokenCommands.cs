using System.Collections;
using System.Management.Automation;
using System.Net;
using System.Security;
using McpSm.Core;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets;

/// <summary>Shows how things stand with servers, from facts alone.</summary>
[Cmdlet(VerbsCommon.Get, "McpAuthStatus", HelpUri = HelpPages.Folder + "Get-McpAuthStatus.md")]
[OutputType(typeof(McpAuthStatus))]
public sealed class GetMcpAuthStatusCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards; all servers where absent.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerId]
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
        WriteObject(McpAuthStatus.Read(Home, servers, out var failure), enumerateCollection: true);
        if (failure is not null)
        {
            WriteWarning(Home.Remedies.Explain(failure));
        }
    }

    /// <summary>A bad state is never an error; what kept us from asking is a warning.</summary>
    private async Task<McpAuthStatus> ValidateAsync(McpServer server, CancellationToken cancellationToken)
    {
        try
        {
            return await Authenticator.ValidateAsync(server, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            Warn($"'{server.Name}' could not be asked. {e.Message}");
            return Authenticator.Status(server);
        }
    }
}

/// <summary>Gives a valid access token, renewed first if need be.</summary>
[Cmdlet(VerbsCommon.Get, "McpToken", HelpUri = HelpPages.Folder + "Get-McpToken.md", DefaultParameterSetName = "SecureString")]
[OutputType(typeof(SecureString), ParameterSetName = ["SecureString"])]
[OutputType(typeof(string), ParameterSetName = ["PlainText"])]
[OutputType(typeof(Hashtable), ParameterSetName = ["Header"])]
public sealed class GetMcpTokenCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards; may be left out if there is one server.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [Alias("Id")]
    [ServerId]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>As text.</summary>
    [Parameter(ParameterSetName = "PlainText", Mandatory = true)]
    public SwitchParameter AsPlainText { get; set; }

    /// <summary>As a table of headers, for <c>Invoke-RestMethod -Headers</c>.</summary>
    [Parameter(ParameterSetName = "Header", Mandatory = true)]
    public SwitchParameter AsHeader { get; set; }

    /// <summary>The method of the request that the headers are for; POST where absent.</summary>
    [Parameter(ParameterSetName = "Header")]
    public string? Method { get; set; }

    /// <summary>Its URL; the server's own where absent.</summary>
    [Parameter(ParameterSetName = "Header")]
    public string? Uri { get; set; }

    /// <summary>The DPoP-Nonce of the server's last answer.</summary>
    [Parameter(ParameterSetName = "Header")]
    public string? Nonce { get; set; }

    /// <summary>Renews the token first: the server refused the last one.</summary>
    [Parameter]
    public SwitchParameter Renew { get; set; }

    protected override void ProcessRecord() => RunFor(Name.Length == 0 ? FindOnlyOrChosen() : Find(Name), async (server, cancellationToken) =>
    {
        var token = await Authenticator.GetAccessTokenAsync(server, cancellationToken, Renew).ConfigureAwait(false);
        if (AsHeader)
        {
            Write(new Hashtable(token.HeadersFor(Method, Uri, Nonce).ToDictionary(h => h.Key, h => h.Value)));
            return;
        }
        Write(AsPlainText ? token.Text : Secure(token.Text));
        if (token.IsBound)
        {
            Warn($"The token of '{server.Name}' is bound to a key (DPoP) and needs a proof for each request: {new ReadTokenStep(server) { AsHeader = true }}");
        }
    });

    private static SecureString Secure(string token)
    {
        var secure = new NetworkCredential("", token).SecurePassword;
        secure.MakeReadOnly();
        return secure;
    }
}

/// <summary>Keeps a bearer token.</summary>
[Cmdlet(VerbsCommon.Set, "McpToken", HelpUri = HelpPages.Folder + "Set-McpToken.md", DefaultParameterSetName = "Token", SupportsShouldProcess = true)]
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
    [ServerId]
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
            WriteError(Errors.Record(new McpAuthException(ErrorReason.InvalidValue,
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
            var failure = await Authenticator.SetTokenAsync(server, await ReadAsync(server, cancellationToken).ConfigureAwait(false),
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
            return Home.SecretVariable(FromEnvironment) ?? throw new McpAuthException(ErrorReason.InvalidValue,
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

/// <summary>Renews tokens now.</summary>
[Cmdlet(VerbsData.Update, "McpToken", HelpUri = HelpPages.Folder + "Update-McpToken.md", SupportsShouldProcess = true)]
[OutputType(typeof(McpAuthStatus))]
public sealed class UpdateMcpTokenCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerId]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    protected override void ProcessRecord() =>
        RunFor(Find(Name).Where(s => ShouldProcess(s.Name, "Renew token")).ToList(), async (server, cancellationToken) =>
        {
            await Authenticator.RenewAsync(server, cancellationToken).ConfigureAwait(false);
            Write(Authenticator.Status(server));
        });
}

/// <summary>Revokes and removes every credential of a server, bearer and OAuth.</summary>
[Cmdlet(VerbsCommon.Clear, "McpToken", HelpUri = HelpPages.Folder + "Clear-McpToken.md", SupportsShouldProcess = true)]
[OutputType(typeof(McpAuthStatus))]
public sealed class ClearMcpTokenCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerId]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Emits the status afterwards.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord() =>
        RunFor(Find(Name).Where(s => ShouldProcess(s.Name, "Revoke and remove credentials")).ToList(), async (server, cancellationToken) =>
        {
            WarnOf(await Authenticator.ClearAsync(server, cancellationToken).ConfigureAwait(false));
            if (PassThru)
            {
                Write(Authenticator.Status(Authenticator.Catalog.Get(server.Id)));
            }
        });
}
