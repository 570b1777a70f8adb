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
    DefaultParameterSetName = ByName, SupportsShouldProcess = true)]
[OutputType(typeof(McpAuthStatus))]
public sealed class ConnectMcpServerCommand : McpCmdlet
{
    // The server: by name, by URL, or all. Who signs in: a person; a client with a secret, certificate or key; a managed identity; a workload.
    private const string ByName = "Name";
    private const string ByUrl = "Url";
    private const string AllServers = "All";
    private const string ByNameSecret = "NameClientCredential";
    private const string ByUrlSecret = "UrlClientCredential";
    private const string ByNameCertificate = "NameCertificate";
    private const string ByUrlCertificate = "UrlCertificate";
    private const string ByNameKey = "NameKeyFile";
    private const string ByUrlKey = "UrlKeyFile";
    private const string ByNameManagedIdentity = "NameManagedIdentity";
    private const string ByUrlManagedIdentity = "UrlManagedIdentity";
    private const string ByNameAssertion = "NameAssertionFile";
    private const string ByUrlAssertion = "UrlAssertionFile";
    private const string ByNameVariable = "NameAssertionVariable";
    private const string ByUrlVariable = "UrlAssertionVariable";

    /// <summary>
    /// Ids, names, URLs or wildcards of servers. A URL that no server has is added as a new server. Optional if there is only one server.
    /// With <c>-Url</c>, the name of that server.
    /// </summary>
    [Parameter(ParameterSetName = ByName, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = ByNameSecret, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = ByNameCertificate, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = ByNameKey, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = ByNameManagedIdentity, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = ByNameAssertion, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = ByNameVariable, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = ByUrl, Position = 0)]
    [Parameter(ParameterSetName = ByUrlSecret, Position = 0)]
    [Parameter(ParameterSetName = ByUrlCertificate, Position = 0)]
    [Parameter(ParameterSetName = ByUrlKey, Position = 0)]
    [Parameter(ParameterSetName = ByUrlManagedIdentity, Position = 0)]
    [Parameter(ParameterSetName = ByUrlAssertion, Position = 0)]
    [Parameter(ParameterSetName = ByUrlVariable, Position = 0)]
    [ValidateNotNullOrEmpty]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>The URL of a server to sign in to. It is added if no server has it.</summary>
    [Parameter(ParameterSetName = ByUrl, Mandatory = true)]
    [Parameter(ParameterSetName = ByUrlSecret, Mandatory = true)]
    [Parameter(ParameterSetName = ByUrlCertificate, Mandatory = true)]
    [Parameter(ParameterSetName = ByUrlKey, Mandatory = true)]
    [Parameter(ParameterSetName = ByUrlManagedIdentity, Mandatory = true)]
    [Parameter(ParameterSetName = ByUrlAssertion, Mandatory = true)]
    [Parameter(ParameterSetName = ByUrlVariable, Mandatory = true)]
    public string? Url { get; set; }

    /// <summary>All servers: skips those with a valid token, and renews tokens if possible instead of signing in.</summary>
    [Parameter(ParameterSetName = AllServers, Mandatory = true)]
    public SwitchParameter All { get; set; }

    /// <summary>With <c>-All</c>: signs in again, also with a valid token.</summary>
    [Parameter(ParameterSetName = AllServers)]
    public SwitchParameter Force { get; set; }

    /// <summary>Signs in as a client: the user name is the client id, the password is its secret.</summary>
    [Parameter(ParameterSetName = ByNameSecret, Mandatory = true)]
    [Parameter(ParameterSetName = ByUrlSecret, Mandatory = true)]
    [Credential]
    public PSCredential? ClientCredential { get; set; }

    /// <summary>Signs in as a client that has the private key of this certificate.</summary>
    [Parameter(ParameterSetName = ByNameCertificate, Mandatory = true)]
    [Parameter(ParameterSetName = ByUrlCertificate, Mandatory = true)]
    public X509Certificate2? Certificate { get; set; }

    /// <summary>Signs in as a client that has the private key in this PEM file. The file may also contain the certificate.</summary>
    [Parameter(ParameterSetName = ByNameKey, Mandatory = true)]
    [Parameter(ParameterSetName = ByUrlKey, Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string? KeyFilePath { get; set; }

    /// <summary>Signs in as the managed identity of this machine or service in Azure. <c>-ClientId</c> selects a user-assigned identity.</summary>
    [Parameter(ParameterSetName = ByNameManagedIdentity, Mandatory = true)]
    [Parameter(ParameterSetName = ByUrlManagedIdentity, Mandatory = true)]
    public SwitchParameter ManagedIdentity { get; set; }

    /// <summary>Signs in as a workload, with the JWT that its platform writes to this file.</summary>
    [Parameter(ParameterSetName = ByNameAssertion, Mandatory = true)]
    [Parameter(ParameterSetName = ByUrlAssertion, Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string? AssertionFile { get; set; }

    /// <summary>Signs in as a workload, with the JWT in this environment variable.</summary>
    [Parameter(ParameterSetName = ByNameVariable, Mandatory = true)]
    [Parameter(ParameterSetName = ByUrlVariable, Mandatory = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(VariableCompleter))]
    public string? AssertionVariable { get; set; }

    /// <summary>The id of the client; by default the one that is stored for the server.</summary>
    [Parameter(ParameterSetName = ByNameCertificate)]
    [Parameter(ParameterSetName = ByUrlCertificate)]
    [Parameter(ParameterSetName = ByNameKey)]
    [Parameter(ParameterSetName = ByUrlKey)]
    [Parameter(ParameterSetName = ByNameManagedIdentity)]
    [Parameter(ParameterSetName = ByUrlManagedIdentity)]
    [Parameter(ParameterSetName = ByNameAssertion)]
    [Parameter(ParameterSetName = ByUrlAssertion)]
    [Parameter(ParameterSetName = ByNameVariable)]
    [Parameter(ParameterSetName = ByUrlVariable)]
    [ValidateNotNullOrEmpty]
    public string? ClientId { get; set; }

    /// <summary>The issuer of the identity provider to sign in through; by default the one that is set.</summary>
    [Parameter(ParameterSetName = ByName)]
    [Parameter(ParameterSetName = ByUrl)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(IdentityProviderCompleter))]
    public string? IdentityProvider { get; set; }

    /// <summary>Parameters to add to the authorization URL of this sign-in. An empty value omits a parameter that is set for the server.</summary>
    [Parameter(ParameterSetName = ByName)]
    [Parameter(ParameterSetName = ByUrl)]
    [HashtableTransformation]
    public IDictionary? AuthorizeParameter { get; set; }

    /// <summary>Prints the URL instead of opening a browser.</summary>
    [Parameter(ParameterSetName = ByName)]
    [Parameter(ParameterSetName = ByUrl)]
    [Parameter(ParameterSetName = AllServers)]
    public SwitchParameter NoBrowser { get; set; }

    /// <summary>Signs in with a code that the user enters on another device.</summary>
    [Parameter(ParameterSetName = ByName)]
    [Parameter(ParameterSetName = ByUrl)]
    [Parameter(ParameterSetName = AllServers)]
    public SwitchParameter UseDeviceCode { get; set; }

    /// <summary>The local port for the callback of the browser; 0 is any free port.</summary>
    [Parameter(ParameterSetName = ByName)]
    [Parameter(ParameterSetName = ByUrl)]
    [Parameter(ParameterSetName = AllServers)]
    [ValidateRange(0, 65535)]
    public int? CallbackPort { get; set; }

    /// <summary>Seconds to wait for the sign-in; by default 300.</summary>
    [Parameter]
    [ValidateRange(1, 86400)]
    public int TimeoutSec { get; set; } = (int)SignInOptions.DefaultTimeout.TotalSeconds;

    /// <summary>The vault to store the credential in.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(VaultCompleter))]
    public string? Vault { get; set; }

    /// <summary>Fails at once if a person would have to answer.</summary>
    [Parameter]
    public SwitchParameter NonInteractive { get; set; }

    /// <summary>With <c>-All</c>: the maximum number of servers to renew at the same time. A person signs in to one server at a time.</summary>
    [Parameter(ParameterSetName = AllServers)]
    [ValidateRange(1, 1024)]
    public int ThrottleLimit { get; set; } = 8;

    // PSPath resolution must run on the pipeline thread.
    private string? _keyFile;
    private string? _assertionFile;
    private string? _keyPath;
    private ClientKey? _key;
    private readonly Lock _keyLock = new();

    protected override void ProcessRecord()
    {
        Interaction.NonInteractive = NonInteractive;
        _keyFile = KeyFilePath is null ? null : GetUnresolvedProviderPathFromPSPath(KeyFilePath);
        _assertionFile = AssertionFile is null ? null : GetUnresolvedProviderPathFromPSPath(AssertionFile);
        if (Url is { } url)
        {
            if (Name.Length > 1)
            {
                WriteError(ErrorRecords.Create(new McpAuthException(ErrorReason.InvalidValue,
                    "-Name has several values, but with -Url it is the name of one server.",
                    "Use one name, or omit -Name."), url));
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

    /// <summary>Signs in to the server at a URL, and adds it if no server has the URL.</summary>
    /// <param name="url">The URL.</param>
    /// <param name="name">The name of the server; null for any name.</param>
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
        if (result.VerificationFailure is { } failure)
        {
            Warn($"The token of '{server.Name}' is stored, but could not be verified. {failure}");
        }
        Write(result.Status);
    }

    private ClientKey ReadKey(string path, CancellationToken cancellationToken)
    {
        // Read the key once for all servers, because a pipe can be read only once.
        lock (_keyLock)
        {
            if (_key is null || _keyPath != path)
            {
                (_key, _keyPath) = (ClientKey.FromFile(path, cancellationToken), path);
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
