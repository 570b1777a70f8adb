using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Servers;
using McpSm.Samples;

namespace McpSm.Core.Tests;

/// <summary>A configuration folder and an environment of one test's own.</summary>
public sealed class Workplace : IDisposable
{
    public Workplace()
    {
        Variables["MCPSM_CONFIG_DIR"] = Folder;
        Variables["DISPLAY"] = ":0";
        Authenticator = New();
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("mcpsm-test-").FullName;

    public Dictionary<string, string> Variables { get; } = [];

    public Person Person { get; } = new();

    public Authenticator Authenticator { get; }

    public Home Home => new(Variables.GetValueOrDefault);

    /// <summary>Another process's view of the same folder.</summary>
    public Authenticator New() => new(Home, Person);

    public Task<McpServer> AddAsync(Uri url, Func<McpServer, McpServer>? change = null) =>
        Authenticator.Catalog.AddAsync((change ?? (s => s))(new McpServer { Id = "", Name = "my-api", Url = url.AbsoluteUri }), default);

    public async Task<ConnectResult> LoginAsync(McpServer server, TimeSpan? timeout = null) =>
        await Authenticator.ConnectAsync(Authenticator.Catalog.Get(server.Id),
            new ConnectOptions { CallbackPort = 0, Timeout = timeout ?? TimeSpan.FromSeconds(20) }, default);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

/// <summary>The person in front of the test: opens the URL and clicks through, unless told otherwise.</summary>
public sealed class Person : IAuthInteraction
{
    public bool CanAnswer { get; set; } = true;

    public Func<Uri, Task>? Browse { get; set; }

    public List<string> Notices { get; } = [];

    public List<Uri> Visited { get; } = [];

    public string? LastPage { get; private set; }

    public Task<bool> OpenBrowserAsync(Uri url, CancellationToken cancellationToken)
    {
        Visited.Add(url);
        _ = Task.Run(async () =>
        {
            if (Browse is not null)
            {
                await Browse(url);
                return;
            }
            using var answer = await StandInBrowser.ClickThroughAsync(url);
            LastPage = await answer.Content.ReadAsStringAsync();
        }, CancellationToken.None);
        return Task.FromResult(true);
    }

    public void ShowAuthorizationUrl(Uri url, bool opened)
    {
    }

    public void ShowDeviceCode(DeviceCode code)
    {
    }

    public Task<string?> ReadRedirectAsync(CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    public void Notice(string text) => Notices.Add(text);
}
