using System.Collections;
using System.Management.Automation;
using System.Security;
using McpSm.Commands.CommandLine;
using McpSm.Core.Discovery;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Servers;

/// <summary>The base of the cmdlets that add and change a server, with the parameters that both have.</summary>
public abstract class ServerUpdateCmdlet : McpCmdlet
{
    private List<string> _headerFiles = [];

    /// <summary>Streamable HTTP, or the older HTTP+SSE transport.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Type")]
    [EnumNameTransformation(typeof(McpTransport))]
    [ValidateSet("http", "sse")]
    public string? Transport { get; set; }

    /// <summary>Whether the server requires a sign-in. With <c>unset</c>, the first sign-in finds out.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [OAuthModeTransformation]
    [ValidateSet("on", "off", "unset")]
    public string? OAuth { get; set; }

    /// <summary>The id of a client that the user registered with the issuer.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowEmptyString]
    public string? ClientId { get; set; }

    /// <summary>The secret of that client, which is stored in the vault.</summary>
    [Parameter]
    public SecureString? ClientSecret { get; set; }

    /// <summary>Scopes to request instead of those of the server.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Scopes")]
    [AllowEmptyCollection]
    [ArgumentCompleter(typeof(ScopeCompleter))]
    public string[]? Scope { get; set; }

    /// <summary>The only issuer to use.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(IssuerCompleter))]
    public string? Issuer { get; set; }

    /// <summary>Headers for every request, which are stored in the vault: texts or SecureStrings. An empty value removes a header.</summary>
    [Parameter]
    public IDictionary? Header { get; set; }

    /// <summary>Files with a header a line, <c>Name: value</c>, which are stored in the vault.</summary>
    [Parameter]
    public string[]? HeaderFile { get; set; }

    /// <summary>A bearer token, which is stored in the vault.</summary>
    [Parameter]
    public SecureString? Token { get; set; }

    /// <summary>The URL of a client metadata document.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowEmptyString]
    public string? ClientMetadataUrl { get; set; }

    /// <summary>Allows the default endpoints of MCP 2025-03-26, for issuers without metadata.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [SwitchTransformation]
    public SwitchParameter AllowLegacyEndpoints { get; set; }

    /// <summary>Whether tokens are bound to a key (RFC 9449).</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [EnumNameTransformation(typeof(DPoPMode))]
    [ValidateSet("auto", "always", "never")]
    public string? DPoP { get; set; }

    /// <summary>Lets <c>mcpsm proxy</c> ask a person to sign in if it starts without a usable credential.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [SwitchTransformation]
    public SwitchParameter RelaySignIn { get; set; }

    /// <summary>Parameters to add to the authorization URL. An empty value removes a parameter, an empty table removes all.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("AuthorizeParams")]
    [HashtableTransformation]
    public IDictionary? AuthorizeParameter { get; set; }

    /// <summary>The <c>resource</c> parameter for the issuer: a URI, or <c>none</c>. An empty text restores the default.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowEmptyString]
    public string? Resource { get; set; }

    /// <summary>Lets the proxy use the other transport.</summary>
    [Parameter]
    [SwitchTransformation]
    public SwitchParameter Fallback { get; set; }

    /// <summary>Tools that the proxy offers; an empty list allows all.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("AllowTools")]
    [AllowEmptyCollection]
    [AllowEmptyString]
    public string[]? AllowTool { get; set; }

    /// <summary>Tools that the proxy leaves out; an empty list leaves out none.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("IgnoreTools")]
    [AllowEmptyCollection]
    [AllowEmptyString]
    public string[]? IgnoreTool { get; set; }

    /// <summary>How many seconds a request through the proxy may take; 0 removes the limit.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public int? RequestTimeout { get; set; }

    /// <summary>How many seconds <c>initialize</c> through the proxy may take; 0 removes the limit.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public int? InitializeTimeout { get; set; }

    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        // PSPath resolution must run on the pipeline thread.
        _headerFiles = [.. (HeaderFile ?? []).Select(GetUnresolvedProviderPathFromPSPath)];
    }

    private protected ServerUpdate CreateUpdate(string? name, string? url) => new()
    {
        Name = name,
        Url = url,
        Transport = NullIfEmpty(Transport) is { } transport ? Enum.Parse<McpTransport>(transport, ignoreCase: true) : null,
        OAuth = NullIfEmpty(OAuth) is { } oauth ? Enum.Parse<OAuthMode>(oauth, ignoreCase: true) : null,
        ClientId = ClientId,
        ClientSecret = UnwrapText(ClientSecret),
        Scopes = Scope is null ? null : Scopes.Typed(Scope),
        Issuer = Issuer,
        Headers = ReadHeaders(),
        ClientMetadataUrl = ClientMetadataUrl,
        AllowLegacyEndpoints = MyInvocation.BoundParameters.ContainsKey(nameof(AllowLegacyEndpoints)) ? AllowLegacyEndpoints.IsPresent : null,
        DPoP = NullIfEmpty(DPoP) is { } dpop ? Enum.Parse<DPoPMode>(dpop, ignoreCase: true) : null,
        AuthorizeParams = PlainText.Table(AuthorizeParameter, "The value of a parameter", StringComparer.Ordinal),
        RelaySignIn = MyInvocation.BoundParameters.ContainsKey(nameof(RelaySignIn)) ? RelaySignIn.IsPresent : null,
        Resource = Resource,
        Fallback = MyInvocation.BoundParameters.ContainsKey(nameof(Fallback)) ? Fallback.IsPresent : null,
        AllowTools = AllowTool,
        IgnoreTools = IgnoreTool,
        RequestTimeout = RequestTimeout,
        InitializeTimeout = InitializeTimeout,
        Token = UnwrapText(Token),
    };

    private protected void WarnOfChange(ServerUpdateResult changed)
    {
        if (changed.RevocationFailure is { } failure)
        {
            Warn($"The issuer did not confirm that it revoked the sign-in that the token replaces. {failure}");
        }
        if (changed.Moved)
        {
            Warn($"'{changed.Server.Name}' moved to another origin, and its old credential is not used there. Sign in with: {new SignInStep(changed.Server)}");
        }
    }

    /// <summary>Returns the headers of the files and of the table, which wins; null if neither was given.</summary>
    private Dictionary<string, string>? ReadHeaders()
    {
        var table = PlainText.Table(Header, "The value of a header", StringComparer.OrdinalIgnoreCase);
        if (table is null && _headerFiles.Count == 0)
        {
            return null;
        }
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in _headerFiles.SelectMany(path => HeaderLine.ReadFile(path, CancellationToken.None))
            .Concat((table ?? new Dictionary<string, string>()).Select(header => (header.Key, header.Value))))
        {
            headers[name] = value;
        }
        return headers;
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
