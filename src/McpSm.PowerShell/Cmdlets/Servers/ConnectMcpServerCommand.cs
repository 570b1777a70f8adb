using System.Collections;
using System.Management.Automation;
using System.Security.Cryptography.X509Certificates;
using McpSm.Core;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Servers;

/// <summary>Signs in to servers.</summary>
[Cmdlet(VerbsCommunications.Connect, "McpServer", HelpUri = HelpUris.Folder + "Connect-McpServer.md",
    DefaultParameterSetName = Named, SupportsShouldProcess = true)]
[OutputType(typeof(McpAuthStatus))]
public sealed class ConnectMcpServerCommand : McpCmdlet
{
    // A server by name or by URL, or all; a person, or a client with its secret, certificate or key, or this machine, or a
    // workload with its assertion.
    private const string Named = "Name";
    private const string OfUrl = "Url";
    private const string OfAll = "All";
    private const string NamedSecret = "NameClientCredential";
    private const string OfUrlSecret = "UrlClientCredential";
    private const string NamedCertificate = "NameCertificate";
    private const string OfUrlCertificate = "UrlCertificate";
    private const string NamedKey = "NameKeyFile";
    private const string OfUrlKey = "UrlKeyFile";
    private const string NamedMachine = "NameManagedIdentity";
    private const string OfUrlMachine = "UrlManagedIdentity";
    private const string NamedAssertion = "NameAssertionFile";
    private const string OfUrlAssertion = "UrlAssertionFile";
    private const string NamedVariable = "NameAssertionVariable";
    private const string OfUrlVariable = "UrlAssertionVariable";

    /// <summary>
    /// Ids, names, URLs or wildcards; always signs in. A URL that no server has is that of a new one. May be left out if there is
    /// one server. Beside <c>-Url</c>, the name of that server.
    /// </summary>
    [Parameter(ParameterSetName = Named, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = NamedSecret, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = NamedCertificate, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = NamedKey, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = NamedMachine, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = NamedAssertion, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = NamedVariable, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = OfUrl, Position = 0)]
    [Parameter(ParameterSetName = OfUrlSecret, Position = 0)]
    [Parameter(ParameterSetName = OfUrlCertificate, Position = 0)]
    [Parameter(ParameterSetName = OfUrlKey, Position = 0)]
    [Parameter(ParameterSetName = OfUrlMachine, Position = 0)]
    [Parameter(ParameterSetName = OfUrlAssertion, Position = 0)]
    [Parameter(ParameterSetName = OfUrlVariable, Position = 0)]
    [ValidateNotNullOrEmpty]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>The URL of a server that is added, where there is none of it, and signed in to.</summary>
    [Parameter(ParameterSetName = OfUrl, Mandatory = true)]
    [Parameter(ParameterSetName = OfUrlSecret, Mandatory = true)]
    [Parameter(ParameterSetName = OfUrlCertificate, Mandatory = true)]
    [Parameter(ParameterSetName = OfUrlKey, Mandatory = true)]
    [Parameter(ParameterSetName = OfUrlMachine, Mandatory = true)]
    [Parameter(ParameterSetName = OfUrlAssertion, Mandatory = true)]
    [Parameter(ParameterSetName = OfUrlVariable, Mandatory = true)]
    public string? Url { get; set; }

    /// <summary>All servers: skips what is valid and renews before it signs in.</summary>
    [Parameter(ParameterSetName = OfAll, Mandatory = true)]
    public SwitchParameter All { get; set; }

    /// <summary>With <c>-All</c>: signs in again, valid or not.</summary>
    [Parameter(ParameterSetName = OfAll)]
    public SwitchParameter Force { get; set; }

    /// <summary>Signs in as a client, without a person: the user name is the client id, the password its secret.</summary>
    [Parameter(ParameterSetName = NamedSecret, Mandatory = true)]
    [Parameter(ParameterSetName = OfUrlSecret, Mandatory = true)]
    [Credential]
    public PSCredential? ClientCredential { get; set; }

    /// <summary>Signs in as a client that signs with the key of this certificate.</summary>
    [Parameter(ParameterSetName = NamedCertificate, Mandatory = true)]
    [Parameter(ParameterSetName = OfUrlCertificate, Mandatory = true)]
    public X509Certificate2? Certificate { get; set; }

    /// <summary>Signs in as a client that signs with the key in this PEM file, in which its certificate may stand too.</summary>
    [Parameter(ParameterSetName = NamedKey, Mandatory = true)]
    [Parameter(ParameterSetName = OfUrlKey, Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string? KeyFilePath { get; set; }

    /// <summary>Signs in as the identity that Azure gives this machine or service; with a client id, as that one of them.</summary>
    [Parameter(ParameterSetName = NamedMachine, Mandatory = true)]
    [Parameter(ParameterSetName = OfUrlMachine, Mandatory = true)]
    public SwitchParameter ManagedIdentity { get; set; }

    /// <summary>Signs in as a workload, with the JWT that its platform puts into this file.</summary>
    [Parameter(ParameterSetName = NamedAssertion, Mandatory = true)]
    [Parameter(ParameterSetName = OfUrlAssertion, Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string? AssertionFile { get; set; }

    /// <summary>Signs in as a workload, with the JWT that its platform puts into this environment variable.</summary>
    [Parameter(ParameterSetName = NamedVariable, Mandatory = true)]
    [Parameter(ParameterSetName = OfUrlVariable, Mandatory = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(VariableCompleter))]
    public string? AssertionVariable { get; set; }

    /// <summary>The client's id; the one that was kept for the server where absent.</summary>
    [Parameter(ParameterSetName = NamedCertificate)]
    [Parameter(ParameterSetName = OfUrlCertificate)]
    [Parameter(ParameterSetName = NamedKey)]
    [Parameter(ParameterSetName = OfUrlKey)]
    [Parameter(ParameterSetName = NamedMachine)]
    [Parameter(ParameterSetName = OfUrlMachine)]
    [Parameter(ParameterSetName = NamedAssertion)]
    [Parameter(ParameterSetName = OfUrlAssertion)]
    [Parameter(ParameterSetName = NamedVariable)]
    [Parameter(ParameterSetName = OfUrlVariable)]
    [ValidateNotNullOrEmpty]
    public string? ClientId { get; set; }

    /// <summary>The issuer of the identity provider that is to vouch for the person; the one that is set is used without it.</summary>
    [Parameter(ParameterSetName = Named)]
    [Parameter(ParameterSetName = OfUrl)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(IdentityProviderCompleter))]
    public string? IdentityProvider { get; set; }

    /// <summary>Parameters to add to the authorization URL this once; an empty value leaves out one that is set for the server.</summary>
    [Parameter(ParameterSetName = Named)]
    [Parameter(ParameterSetName = OfUrl)]
    [HashtableTransformation]
    public IDictionary? AuthorizeParameter { get; set; }

    /// <summary>Shows the URL instead of opening a browser.</summary>
    [Parameter(ParameterSetName = Named)]
    [Parameter(ParameterSetName = OfUrl)]
    [Parameter(ParameterSetName = OfAll)]
    public SwitchParameter NoBrowser { get; set; }

    /// <summary>Signs in with a code on another device.</summary>
    [Parameter(ParameterSetName = Named)]
    [Parameter(ParameterSetName = OfUrl)]
    [Parameter(ParameterSetName = OfAll)]
    public SwitchParameter UseDeviceCode { get; set; }

    /// <summary>The local port the browser comes back to; 0 is any.</summary>
    [Parameter(ParameterSetName = Named)]
    [Parameter(ParameterSetName = OfUrl)]
    [Parameter(ParameterSetName = OfAll)]
    [ValidateRange(0, 65535)]
    public int? CallbackPort { get; set; }

    /// <summary>Seconds to wait for the sign-in; 300 where absent.</summary>
    [Parameter]
    [ValidateRange(1, 86400)]
    public int TimeoutSec { get; set; } = (int)SignInOptions.DefaultTimeout.TotalSeconds;

    /// <summary>The vault to keep the credential in.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(VaultCompleter))]
    public string? Vault { get; set; }

    /// <summary>Fails at once where a person would be asked.</summary>
    [Parameter]
    public SwitchParameter NonInteractive { get; set; }

    /// <summary>With <c>-All</c>: how many are renewed at once; people sign in to one at a time.</summary>
    [Parameter(ParameterSetName = OfAll)]
    [ValidateRange(1, 1024)]
    public int ThrottleLimit { get; set; } = 8;

    // Only the pipeline's thread can make a path of PowerShell's one of the file system's.
    private string? _keyFile;
    private string? _assertionFile;
    private string? _keyOf;
    private ClientKey? _key;
    private readonly Lock _reading = new();

    protected override void ProcessRecord()
    {
        Interaction.NonInteractive = NonInteractive;
        _keyFile = KeyFilePath is null ? null : GetUnresolvedProviderPathFromPSPath(KeyFilePath);
        _assertionFile = AssertionFile is null ? null : GetUnresolvedProviderPathFromPSPath(AssertionFile);
        if (Url is { } url)
        {
            if (Name.Length > 1)
            {
                WriteError(ErrorRecords.Record(new McpAuthException(ErrorReason.InvalidValue, "Beside -Url, -Name takes one name: that of the server.",
                    "Give one name, or leave -Name out."), url));
                return;
            }
            ConnectAt(url, Name.FirstOrDefault());
            return;
        }
        if (!All && Name.Length == 0)
        {
            ConnectAll(FindOnlyOrChosen());
            return;
        }
        var newUrls = Name.Where(IsNewUrl).Distinct().ToList();
        ConnectAll(All ? [.. Find(null).Where(s => s.OAuth != OAuthMode.Off)] : Find([.. Name.Except(newUrls)]));
        foreach (var newUrl in newUrls)
        {
            ConnectAt(newUrl, null);
        }
    }

    private bool IsNewUrl(string name) => ServerLookup.IsUrl(name) && ReadCatalog() is { } all
        && ServerLookup.Find(all, name) is null && ServerLookup.AtUrl(all, name).Count == 0;

    /// <param name="name">The name of the server; null for any.</param>
    private void ConnectAt(string url, string? name)
    {
        if (ShouldProcess(name is null ? url : $"{name} ({url})", "Add MCP server and sign in"))
        {
            Run(cancellationToken => TryAsync(name ?? url, async () => await ConnectAsync(
                (await Authenticator.Servers.FindOrAddAsync(url, name, cancellationToken).ConfigureAwait(false)).Server,
                cancellationToken).ConfigureAwait(false)));
        }
    }

    private void ConnectAll(IReadOnlyList<McpServer> servers) => RunForMany("Signing in to MCP servers",
        [.. servers.Where(s => ShouldProcess(s.Name, "Sign in"))], All ? ThrottleLimit : 1, ConnectAsync);

    private async Task ConnectAsync(McpServer server, CancellationToken cancellationToken)
    {
        var options = new SignInOptions
        {
            NoBrowser = NoBrowser,
            UseDeviceCode = UseDeviceCode,
            CallbackPort = CallbackPort,
            AuthorizeParams = AuthorizeParameters.Create(PlainText.Table(AuthorizeParameter, "The value of a parameter", StringComparer.Ordinal) ?? []),
            ClientCredentials = ReadClient(cancellationToken),
            IdentityProvider = IdentityProvider,
            NamedByUser = !All && !Name.Any(IsPattern),
            Timeout = TimeSpan.FromSeconds(TimeoutSec),
            Vault = Vault,
        };
        var result = await (All && !Force ? Authenticator.SignIn.EnsureSignedInAsync(server, options, cancellationToken)
            : Authenticator.SignIn.SignInAsync(server, options, cancellationToken)).ConfigureAwait(false);
        if (result.VerificationFailure is { } doubt)
        {
            Warn($"The token of '{server.Name}' is kept, but could not be tried. {doubt}");
        }
        Write(result.Status);
    }

    private ClientKey ReadKey(string path, CancellationToken cancellationToken)
    {
        // Read once for all servers: a pipe gives the key only once.
        lock (_reading)
        {
            if (_key is null || _keyOf != path)
            {
                (_key, _keyOf) = (ClientKey.FromFile(path, cancellationToken), path);
            }
            return _key;
        }
    }

    private ClientCredentials? ReadClient(CancellationToken cancellationToken) => ClientCredential is not null
        ? new ClientCredentials(ClientCredential.UserName, SecretText.WithoutLineEnd(PlainText.Create(ClientCredential.Password)))
        : Certificate is not null ? new ClientCredentials(ClientId, Key: ClientKey.FromCertificate(Certificate))
        : _keyFile is not null ? new ClientCredentials(ClientId, Key: ReadKey(_keyFile, cancellationToken))
        : ManagedIdentity ? new ClientCredentials(ClientId, IsManagedIdentity: true)
        : _assertionFile is not null ? new ClientCredentials(ClientId, Assertion: WorkloadAssertionSource.FromFile(_assertionFile))
        : AssertionVariable is not null ? new ClientCredentials(ClientId, Assertion: WorkloadAssertionSource.FromVariable(AssertionVariable)) : null;
}
