using System.Diagnostics;
using System.Text.Json.Nodes;
using McpSm.Samples;

namespace McpSm.Bench;

/// <summary>An issuer that approves every request, a server on loopback, the programs, and their folders.</summary>
internal sealed class BenchmarkEnvironment : IAsyncDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("mcpsm-bench-").FullName;
    private readonly string _mcpsm;
    private readonly string? _peer;

    private BenchmarkEnvironment(AuthorizationServer issuer, ProtectedMcpServer server, string mcpsm, string? peer) =>
        (Issuer, Server, _mcpsm, _peer) = (issuer, server, mcpsm, peer);

    public AuthorizationServer Issuer { get; }

    public ProtectedMcpServer Server { get; }

    private static string Modules { get; } = Path.Combine(TestServers.Repository.Root, "bench", "peer", "node_modules");

    /// <summary>The root folder of the repository.</summary>
    public static string Repository { get; } = TestServers.Repository.Root;

    public static async Task<BenchmarkEnvironment> OpenAsync(Report report)
    {
        var issuer = await AuthorizationServer.StartAsync(new AuthorizationServerOptions { AutoApprove = true });
        var server = await ProtectedMcpServer.StartAsync(issuer);
        return new BenchmarkEnvironment(issuer, server, await MakeMcpsmAsync(report), await InstallPeerAsync(report));
    }

    /// <summary>Returns <c>mcpsm</c> with a configuration folder; the vault is the encrypted file with a key file.</summary>
    public MeasuredProgram Ours(string folder, params string[] arguments) =>
        new("mcpsm " + string.Join(' ', arguments.Take(2)), _mcpsm, arguments, new Dictionary<string, string>
        {
            ["MCPSM_CONFIG_DIR"] = folder,
            ["HOME"] = _root,
            ["MCPSM_VAULT"] = "file",
            ["MCPSM_INTERACTIVE"] = "1",
        });

    /// <summary>Returns the npm tool; null if it could not be installed.</summary>
    public MeasuredProgram? Peer(string folder, params string[] arguments) => _peer is null ? null
        : new MeasuredProgram("npm tool", "node", [_peer, .. arguments],
            new Dictionary<string, string> { ["MCP_MANAGER_CONFIG_DIR"] = folder, ["HOME"] = _root });

    /// <summary>Returns the npm tool mcp-remote with a header; null if it could not be installed.</summary>
    public MeasuredProgram? Remote(Uri url, string header) => _peer is null ? null
        : new MeasuredProgram("mcp-remote", "node", [Path.Combine(Modules, "mcp-remote", "dist", "proxy.js"), url.AbsoluteUri, "--header", header],
            new Dictionary<string, string> { ["HOME"] = _root });

    /// <summary>Returns the shortest Node program; null if Node is missing.</summary>
    public MeasuredProgram? Node() => _peer is null ? null : new MeasuredProgram("node -e 0", "node", ["-e", "0"], new Dictionary<string, string>());

    public string NewFolder() => Directory.CreateDirectory(Path.Combine(_root, Path.GetRandomFileName())).FullName;

    /// <summary>Opens each printed authorization URL.</summary>
    public static async Task ClickAsync(string line)
    {
        var at = line.IndexOf("http://", StringComparison.Ordinal);
        if (at >= 0 && line.Contains("response_type=code", StringComparison.Ordinal))
        {
            // An escape sequence can follow the URL.
            var url = new string([.. line[at..].TakeWhile(c => c > ' ')]);
            (await StandInBrowser.ClickThroughAsync(new Uri(url))).Dispose();
        }
    }

    /// <summary>Returns a configuration folder with a number of signed-in servers; the first is <c>my-api</c>.</summary>
    public async Task<string> OurFolderAsync(int servers)
    {
        var folder = NewFolder();
        await Ours(folder, "add", "my-api", "--type", "http", "--url", Server.McpUrl.AbsoluteUri).RunAsync();
        await (Ours(folder, "auth", "login", "my-api", "--no-browser", "--callback-port", "0") with { Follow = ClickAsync }).RunAsync();
        Multiply(Path.Combine(folder, "config.json"), servers);
        ChangeJson(Path.Combine(folder, "credentials.json"), document =>
        {
            var entry = document["servers"]!["my-api"]!;
            foreach (var id in Ids(servers))
            {
                document["servers"]![id] = entry.DeepClone();
            }
        });
        return folder;
    }

    /// <summary>Returns such a folder for the npm tool.</summary>
    public async Task<string> PeerFolderAsync(int servers)
    {
        var folder = NewFolder();
        WriteCatalog(folder, [("my-api", Server.McpUrl)]);
        if (Peer(folder, "auth", "login", "my-api", "--no-browser") is { } login)
        {
            await (login with { Follow = ClickAsync }).RunAsync();
            ChangeJson(Path.Combine(folder, "oauth-tokens.json"), document => AddToEach(document, servers));
        }
        Multiply(Path.Combine(folder, "config.json"), servers);
        return folder;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Issuer.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    /// <summary>Writes a catalog that both programs read. The npm tool signs in only if OAuth is on in the entry.</summary>
    public static void WriteCatalog(string folder, IEnumerable<(string Id, Uri Url)> servers) =>
        File.WriteAllText(Path.Combine(folder, "config.json"), new JsonObject
        {
            ["servers"] = new JsonArray(),
            ["remoteServers"] = new JsonArray([.. servers.Select(s => new JsonObject
            {
                ["id"] = s.Id, ["name"] = s.Id, ["type"] = "http", ["url"] = s.Url.AbsoluteUri, ["oauth"] = new JsonObject { ["enabled"] = true },
            })]),
        }.ToJsonString());

    private static void ChangeJson(string path, Action<JsonNode> change)
    {
        var document = JsonNode.Parse(File.ReadAllText(path))!;
        change(document);
        File.WriteAllText(path, document.ToJsonString());
    }

    private static void Multiply(string config, int servers) => ChangeJson(config, document =>
    {
        var list = document["remoteServers"]!.AsArray();
        var first = list[0]!;
        foreach (var id in Ids(servers))
        {
            var next = first.DeepClone();
            (next["id"], next["name"]) = (id, id);
            list.Add(next);
        }
    });

    private static IEnumerable<string> Ids(int servers) => Enumerable.Range(1, servers - 1).Select(n => $"my-api-{n}");

    /// <summary>Copies the only token for more servers, in either file format of the npm tool.</summary>
    private static void AddToEach(JsonNode document, int servers)
    {
        if (document is JsonArray list)
        {
            var first = list[0]!;
            foreach (var id in Ids(servers))
            {
                var next = first.DeepClone();
                next["serverId"] = id;
                list.Add(next);
            }
            return;
        }
        var holder = document["my-api"] is not null ? document.AsObject() : document["tokens"]!.AsObject();
        var token = holder["my-api"]!;
        foreach (var id in Ids(servers))
        {
            var next = token.DeepClone();
            if (next["serverId"] is not null)
            {
                next["serverId"] = id;
            }
            holder[id] = next;
        }
    }

    private static async Task<string> MakeMcpsmAsync(Report report)
    {
        if (Environment.GetEnvironmentVariable("MCPSM_TEST_EXE") is { Length: > 0 } given)
        {
            return Path.GetFullPath(given);
        }
        report.Say("Building the native mcpsm; the first time takes minutes …");
        var folder = Path.Combine(Repository, "out", "bench");
        await RunAsync("dotnet", "publish", Path.Combine(Repository, "src", "McpSm.Cli"), "-c", "Release", "--use-current-runtime",
            "-o", folder, "-v", "quiet");
        return Path.Combine(folder, OperatingSystem.IsWindows() ? "mcpsm.exe" : "mcpsm");
    }

    private static async Task<string?> InstallPeerAsync(Report report)
    {
        var folder = Path.Combine(Repository, "bench", "peer");
        var script = Path.Combine(Modules, "mcp-server-manager", "bin", "cli.js");
        try
        {
            if (!File.Exists(script) || !Directory.Exists(Path.Combine(Modules, "mcp-remote")))
            {
                report.Say("Installing the npm tool …");
                await RunAsync(OperatingSystem.IsWindows() ? "npm.cmd" : "npm", "install", "--prefix", folder, "--loglevel=error");
            }
            return script;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            report.Miss("all rows against the npm tool", "npm is missing, or could not install the tool");
            return null;
        }
    }

    /// <exception cref="InvalidOperationException">The program failed.</exception>
    public static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {arguments[0]} ended with exit code {process.ExitCode}: {output}");
        }
    }
}
