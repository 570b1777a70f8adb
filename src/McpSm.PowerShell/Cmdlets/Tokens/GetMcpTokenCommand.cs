using System.Collections;
using System.Management.Automation;
using System.Net;
using System.Security;
using McpSm.Core.Errors.Steps;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Tokens;

/// <summary>Returns a valid access token. Renews it first if necessary.</summary>
[Cmdlet(VerbsCommon.Get, "McpToken", HelpUri = HelpUris.Folder + "Get-McpToken.md", DefaultParameterSetName = "SecureString")]
[OutputType(typeof(SecureString), ParameterSetName = ["SecureString"])]
[OutputType(typeof(string), ParameterSetName = ["PlainText"])]
[OutputType(typeof(Hashtable), ParameterSetName = ["Header"])]
public sealed class GetMcpTokenCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards of servers. Optional if there is only one server.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Returns the token as text.</summary>
    [Parameter(ParameterSetName = "PlainText", Mandatory = true)]
    public SwitchParameter AsPlainText { get; set; }

    /// <summary>Returns a table of headers, for <c>Invoke-RestMethod -Headers</c>.</summary>
    [Parameter(ParameterSetName = "Header", Mandatory = true)]
    public SwitchParameter AsHeader { get; set; }

    /// <summary>The method of the request that the headers are for; by default POST.</summary>
    [Parameter(ParameterSetName = "Header")]
    public string? Method { get; set; }

    /// <summary>The URL of that request; by default the URL of the server.</summary>
    [Parameter(ParameterSetName = "Header")]
    public string? Uri { get; set; }

    /// <summary>The <c>DPoP-Nonce</c> header of the last response of the server.</summary>
    [Parameter(ParameterSetName = "Header")]
    public string? Nonce { get; set; }

    /// <summary>Renews the token first, because the server rejected the last one.</summary>
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
        Write(AsPlainText ? token.Value : ToSecureString(token.Value));
        if (token.IsBound)
        {
            Warn($"The token of '{server.Name}' is bound to a key (DPoP) and needs a proof for each request: {new ReadTokenStep(server) { AsHeader = true }}");
        }
    });

    private static SecureString ToSecureString(string token)
    {
        var secure = new NetworkCredential("", token).SecurePassword;
        secure.MakeReadOnly();
        return secure;
    }
}
