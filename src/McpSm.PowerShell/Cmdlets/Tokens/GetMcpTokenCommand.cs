using System.Collections;
using System.Management.Automation;
using System.Net;
using System.Security;
using McpSm.Core.Credentials;
using McpSm.Core.Errors.Steps;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Tokens;

/// <summary>Gives a valid access token, renewed first if need be.</summary>
[Cmdlet(VerbsCommon.Get, "McpToken", HelpUri = HelpUris.Folder + "Get-McpToken.md", DefaultParameterSetName = "SecureString")]
[OutputType(typeof(SecureString), ParameterSetName = ["SecureString"])]
[OutputType(typeof(string), ParameterSetName = ["PlainText"])]
[OutputType(typeof(Hashtable), ParameterSetName = ["Header"])]
public sealed class GetMcpTokenCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards; may be left out if there is one server.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [Alias("Id")]
    [ServerIdTransformation]
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
        var token = await Authenticator.Tokens.GetAccessTokenAsync(server, cancellationToken, Renew).ConfigureAwait(false);
        if (AsHeader)
        {
            Write(new Hashtable(token.HeadersFor(Method, Uri, Nonce).ToDictionary(h => h.Key, h => h.Value)));
            return;
        }
        Write(AsPlainText ? token.Value : Secure(token.Value));
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
