using System.Collections;
using System.Management.Automation;
using System.Security;
using McpSm.Core;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets;

/// <summary>Lists servers.</summary>
[Cmdlet(VerbsCommon.Get, "McpServer", HelpUri = HelpPages.Folder + "Get-McpServer.md")]
[OutputType(typeof(McpServer))]
public sealed class GetMcpServerCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards; all servers where absent.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerId]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[]? Name { get; set; }

    private bool _saidUnknown;

    protected override void ProcessRecord()
    {
        WriteObject(KeptSecrets.NamedFor(Home, Find(Name), out var failure), enumerateCollection: true);
        if (failure is not null && !_saidUnknown)
        {
            _saidUnknown = true;
            WriteWarning($"The secrets of servers are not known. {failure.Message}");
        }
    }
}

/// <summary>What is said of a server, shared by adding and changing one.</summary>
public abstract class ServerChangeCommand : McpCmdlet
{
    /// <summary>Streamable HTTP, or the HTTP+SSE transport before it.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Type")]
    [EnumName(typeof(McpTransport))]
    [ValidateSet("http", "sse")]
    public string? Transport { get; set; }

    /// <summary>Whether signing in is wanted; unset lets the first sign-in find out.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [OAuthSetting]
    [ValidateSet("on", "off", "unset")]
    public string? OAuth { get; set; }

    /// <summary>The id of a client registered beforehand.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowEmptyString]
    public string? ClientId { get; set; }

    /// <summary>The client's secret, kept in the vault.</summary>
    [Parameter]
    public SecureString? ClientSecret { get; set; }

    /// <summary>Scopes to ask for instead of the server's.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Scopes")]
    [AllowEmptyCollection]
    [ArgumentCompleter(typeof(ScopeCompleter))]
    public string[]? Scope { get; set; }

    /// <summary>The one issuer to use.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(IssuerCompleter))]
    public string? Issuer { get; set; }

    /// <summary>Headers to send along, kept in the vault: texts or SecureStrings. An empty value removes one.</summary>
    [Parameter]
    public IDictionary? Header { get; set; }

    /// <summary>A bearer token, kept in the vault.</summary>
    [Parameter]
    public SecureString? Token { get; set; }

    /// <summary>The URL of a client metadata document.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowEmptyString]
    public string? ClientMetadataUrl { get; set; }

    /// <summary>Allows the unverifiable default endpoints of 2025-03-26.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [SwitchText]
    public SwitchParameter AllowLegacyEndpoints { get; set; }

    /// <summary>Whether tokens are bound to a key (RFC 9449).</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [EnumName(typeof(DPoPMode))]
    [ValidateSet("auto", "always", "never")]
    public string? DPoP { get; set; }

    /// <summary>Parameters to add to the authorization URL; an empty value removes one, an empty table all.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("AuthorizeParams")]
    [ParameterTable]
    public IDictionary? AuthorizeParameter { get; set; }

    private protected ServerChange Change(string? name, string? url) => new()
    {
        Name = name,
        Url = url,
        Transport = Said(Transport) is { } transport ? Enum.Parse<McpTransport>(transport, ignoreCase: true) : null,
        OAuth = Said(OAuth) is { } oauth ? Enum.Parse<OAuthMode>(oauth, ignoreCase: true) : null,
        ClientId = ClientId,
        ClientSecret = Plain(ClientSecret),
        Scopes = Scope is null ? null : Scopes.Typed(Scope),
        Issuer = Issuer,
        Headers = PlainText.Table(Header, "The value of a header", StringComparer.OrdinalIgnoreCase),
        ClientMetadataUrl = ClientMetadataUrl,
        AllowLegacyEndpoints = MyInvocation.BoundParameters.ContainsKey(nameof(AllowLegacyEndpoints)) ? AllowLegacyEndpoints.IsPresent : null,
        DPoP = Said(DPoP) is { } dpop ? Enum.Parse<DPoPMode>(dpop, ignoreCase: true) : null,
        AuthorizeParams = PlainText.Table(AuthorizeParameter, "The value of a parameter", StringComparer.Ordinal),
        Token = Plain(Token),
    };

    private protected void WarnOf(ServerChanged changed)
    {
        if (changed.RevocationFailure is { } failure)
        {
            Warn($"The sign-in that the token replaces was not confirmed as revoked. {failure}");
        }
        if (changed.Moved)
        {
            Warn($"'{changed.Server.Name}' is on another origin now, where its old credential is not used. Sign in with: {new SignInStep(changed.Server)}");
        }
    }

    private static string? Said(string? text) => string.IsNullOrEmpty(text) ? null : text;
}

/// <summary>Adds a remote MCP server.</summary>
[Cmdlet(VerbsCommon.Add, "McpServer", HelpUri = HelpPages.Folder + "Add-McpServer.md", SupportsShouldProcess = true)]
[OutputType(typeof(McpServer))]
public sealed class AddMcpServerCommand : ServerChangeCommand
{
    /// <summary>A name for the server.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    public string Name { get; set; } = "";

    /// <summary>Its URL.</summary>
    [Parameter(Position = 1, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    public string Url { get; set; } = "";

    protected override void ProcessRecord()
    {
        if (ShouldProcess(Name, "Add MCP server"))
        {
            Run(cancellationToken => TryAsync(Name, async () =>
            {
                var added = await Authenticator.AddServerAsync(Change(Name, Url), cancellationToken).ConfigureAwait(false);
                WarnOf(added);
                Write(added.Server);
            }));
        }
    }
}

/// <summary>Changes a server.</summary>
[Cmdlet(VerbsCommon.Set, "McpServer", HelpUri = HelpPages.Folder + "Set-McpServer.md", SupportsShouldProcess = true)]
[OutputType(typeof(McpServer))]
public sealed class SetMcpServerCommand : ServerChangeCommand
{
    /// <summary>Its id, name or URL.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerId]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>A new URL.</summary>
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    public string? Url { get; set; }

    /// <summary>A new name.</summary>
    [Parameter]
    public string? NewName { get; set; }

    /// <summary>Emits the changed server.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private readonly List<(McpServer Server, ServerChange Change)> _toRename = [];

    protected override void ProcessRecord()
    {
        var servers = Find(Name);
        ServerChange change;
        try
        {
            change = Change(NewName, Url);
        }
        catch (McpAuthException e)
        {
            WriteError(Errors.Record(e, servers.Count == 1 ? servers[0].Name : null));
            return;
        }
        if (NewName is null)
        {
            Apply([.. servers.Select(s => (s, change))]);
            return;
        }
        // A name fits one server, and how many there are is known when the pipeline has ended.
        _toRename.AddRange(servers.Select(s => (s, change)));
    }

    protected override void EndProcessing()
    {
        var servers = _toRename.Select(r => r.Server).DistinctBy(s => s.Id).ToList();
        if (servers.Count > 1)
        {
            WriteError(Errors.Record(new McpAuthException(ErrorReason.InvalidValue,
                $"-NewName names one server, and these are {servers.Count}: {ServerLookup.Names(servers)}. None was changed.",
                "Rename them one by one."), null));
            return;
        }
        Apply(_toRename);
    }

    private void Apply(IReadOnlyList<(McpServer Server, ServerChange Change)> changes)
    {
        foreach (var (server, change) in changes.Where(c => ShouldProcess(c.Server.Name, "Change MCP server")))
        {
            RunFor([server], async (one, cancellationToken) =>
            {
                var changed = await Authenticator.UpdateServerAsync(one, change, cancellationToken).ConfigureAwait(false);
                WarnOf(changed);
                if (PassThru)
                {
                    Write(changed.Server);
                }
            });
        }
    }
}

/// <summary>Removes a server and its credentials.</summary>
[Cmdlet(VerbsCommon.Remove, "McpServer", HelpUri = HelpPages.Folder + "Remove-McpServer.md", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
public sealed class RemoveMcpServerCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerId]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Does not ask.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord() =>
        RunFor(Find(Name).Where(s => Agreed(Force, s.Name, "Remove MCP server and its credentials")).ToList(), async (server, cancellationToken) =>
        {
            var removed = await Authenticator.RemoveServerAsync(server, cancellationToken).ConfigureAwait(false);
            WarnOf(removed);
        });
}
