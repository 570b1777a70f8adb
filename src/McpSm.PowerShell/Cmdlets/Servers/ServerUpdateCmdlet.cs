using System.Collections;
using System.Management.Automation;
using System.Security;
using McpSm.Core.Discovery;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Servers;

/// <summary>What is said of a server, shared by adding and changing one.</summary>
public abstract class ServerUpdateCmdlet : McpCmdlet
{
    /// <summary>Streamable HTTP, or the HTTP+SSE transport before it.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Type")]
    [EnumNameTransformation(typeof(McpTransport))]
    [ValidateSet("http", "sse")]
    public string? Transport { get; set; }

    /// <summary>Whether signing in is wanted; unset lets the first sign-in find out.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [OAuthModeTransformation]
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
    [SwitchTransformation]
    public SwitchParameter AllowLegacyEndpoints { get; set; }

    /// <summary>Whether tokens are bound to a key (RFC 9449).</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [EnumNameTransformation(typeof(DPoPMode))]
    [ValidateSet("auto", "always", "never")]
    public string? DPoP { get; set; }

    /// <summary>Parameters to add to the authorization URL; an empty value removes one, an empty table all.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("AuthorizeParams")]
    [HashtableTransformation]
    public IDictionary? AuthorizeParameter { get; set; }

    private protected ServerUpdate Change(string? name, string? url) => new()
    {
        Name = name,
        Url = url,
        Transport = Said(Transport) is { } transport ? Enum.Parse<McpTransport>(transport, ignoreCase: true) : null,
        OAuth = Said(OAuth) is { } oauth ? Enum.Parse<OAuthMode>(oauth, ignoreCase: true) : null,
        ClientId = ClientId,
        ClientSecret = UnwrapText(ClientSecret),
        Scopes = Scope is null ? null : Scopes.Typed(Scope),
        Issuer = Issuer,
        Headers = PlainText.Table(Header, "The value of a header", StringComparer.OrdinalIgnoreCase),
        ClientMetadataUrl = ClientMetadataUrl,
        AllowLegacyEndpoints = MyInvocation.BoundParameters.ContainsKey(nameof(AllowLegacyEndpoints)) ? AllowLegacyEndpoints.IsPresent : null,
        DPoP = Said(DPoP) is { } dpop ? Enum.Parse<DPoPMode>(dpop, ignoreCase: true) : null,
        AuthorizeParams = PlainText.Table(AuthorizeParameter, "The value of a parameter", StringComparer.Ordinal),
        Token = UnwrapText(Token),
    };

    private protected void WarnOf(ServerUpdateResult changed)
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
