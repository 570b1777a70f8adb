using McpSm.Commands.Remedies;
using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Core.Vaults;

namespace McpSm.Core.Tests.Support;

/// <summary>The configuration folder and environment variables of one test.</summary>
public sealed class TestEnvironment : IDisposable
{
    private readonly TimeProvider? _time;

    private readonly Func<HttpMessageHandler>? _entra;

    /// <summary>Creates the folder.</summary>
    /// <param name="time">The clock, or null for the system clock.</param>
    /// <param name="entra">Creates the transport for requests to Entra ID.</param>
    public TestEnvironment(TimeProvider? time = null, Func<HttpMessageHandler>? entra = null)
    {
        (_time, _entra) = (time, entra);
        Variables["MCPSM_CONFIG_DIR"] = Folder;
        Variables["DISPLAY"] = ":0";
        Authenticator = New();
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("mcpsm-test-").FullName;

    public Dictionary<string, string> Variables { get; } = [];

    public FakeUser Person { get; } = new();

    public Authenticator Authenticator { get; }

    public AppEnvironment Home => new(Variables.GetValueOrDefault, _time) { Remedies = CliRemedyFormatter.Instance };

    /// <summary>The stored credentials, read without the authenticator.</summary>
    internal CredentialStore Store => new(Home, new VaultSelector(Home, [], _ => { }));

    /// <summary>A sign-in on any free port within 20 seconds.</summary>
    public static SignInOptions SignIn => new() { CallbackPort = 0, Timeout = TimeSpan.FromSeconds(20) };

    /// <summary>Returns the authenticator of another process with the same folder.</summary>
    public Authenticator New() => new(Home, Person, null, null, _entra);

    public Task<McpServer> AddAsync(Uri url, Func<McpServer, McpServer>? change = null) =>
        Authenticator.Catalog.AddAsync((change ?? (s => s))(new McpServer { Id = "", Name = "my-api", Url = url.AbsoluteUri }), default);

    /// <summary>Signs in on any free port within 20 seconds, unless the options say otherwise.</summary>
    public Task<SignInResult> LoginAsync(McpServer server, Func<SignInOptions, SignInOptions>? how = null)
    {
        var options = new SignInOptions { CallbackPort = 0, Timeout = TimeSpan.FromSeconds(20) };
        return Authenticator.SignIn.SignInAsync(server, how is null ? options : how(options), default);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
