using McpSm.Commands.Remedies;
using McpSm.Core.Files;
using McpSm.Core.Servers;

namespace McpSm.Core.Tests;

/// <summary>A configuration folder and an environment of one test's own.</summary>
public sealed class Workplace : IDisposable
{
    private readonly TimeProvider? _time;

    private readonly Func<HttpMessageHandler>? _entra;

    /// <param name="entra">What carries requests to Entra ID.</param>
    public Workplace(TimeProvider? time = null, Func<HttpMessageHandler>? entra = null)
    {
        (_time, _entra) = (time, entra);
        Variables["MCPSM_CONFIG_DIR"] = Folder;
        Variables["DISPLAY"] = ":0";
        Authenticator = New();
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("mcpsm-test-").FullName;

    public Dictionary<string, string> Variables { get; } = [];

    public Person Person { get; } = new();

    public Authenticator Authenticator { get; }

    public Home Home => new(Variables.GetValueOrDefault, _time) { Remedies = CliRemedyFormatter.Instance };

    /// <summary>Another process's view of the same folder.</summary>
    public Authenticator New() => new(Home, Person, null, null, _entra);

    public Task<McpServer> AddAsync(Uri url, Func<McpServer, McpServer>? change = null) =>
        Authenticator.Catalog.AddAsync((change ?? (s => s))(new McpServer { Id = "", Name = "my-api", Url = url.AbsoluteUri }), default);

    /// <summary>Signs in on any free port within 20 seconds, unless told otherwise.</summary>
    public Task<ConnectResult> LoginAsync(McpServer server, Func<ConnectOptions, ConnectOptions>? how = null)
    {
        var options = new ConnectOptions { CallbackPort = 0, Timeout = TimeSpan.FromSeconds(20) };
        return Authenticator.ConnectAsync(server, how is null ? options : how(options), default);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
