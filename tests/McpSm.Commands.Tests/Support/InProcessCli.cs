using System.Text.Json.Nodes;
using McpSm.Commands.Remedies;
using McpSm.Core.Configuration;
using McpSm.Core.Vaults;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Support;

/// <summary>Runs the command tree in this process, with a separate folder, environment and clock.</summary>
public sealed class InProcessCli : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    public InProcessCli() => Folder = Directory.CreateTempSubdirectory("mcpsm-test-").FullName;

    public string Folder { get; init; }

    /// <summary>The environment variables. Those of the machine are not visible.</summary>
    public Dictionary<string, string> Variables { get; } = new() { ["MCPSM_INTERACTIVE"] = "1", ["MCPSM_CALLBACK_PORT"] = "0" };

    public TestClock Clock { get; } = new();

    /// <summary>Additional vault providers; null outside PowerShell.</summary>
    public IReadOnlyList<IVaultProvider>? VaultSources { get; set; }

    /// <summary>Handles a shown authorization URL; by default signs in.</summary>
    public Func<Uri, Task> Browse { get; set; } = async url => (await StandInBrowser.ClickThroughAsync(url)).Dispose();

    public Task<CliResult> RunAsync(string commandLine, TestConsole? console = null) => RunAsync(commandLine.Split(' '), console);

    /// <param name="arguments">The command line, without the name of the program.</param>
    /// <param name="console">The console of the command; null for closed standard input.</param>
    public Task<CliResult> RunAsync(string[] arguments, TestConsole? console = null) => RunUntilAsync(arguments, console, Cancellation);

    /// <summary>Runs a command that the token can interrupt. The other methods run until the test ends.</summary>
    public async Task<CliResult> RunUntilAsync(string[] arguments, TestConsole? console, CancellationToken cancellationToken)
    {
        console ??= TestConsole.Pipe();
        var browsing = Task.CompletedTask;
        console.ErrorLine += line =>
        {
            if (line.StartsWith("http", StringComparison.Ordinal) && line.Contains("response_type=code"))
            {
                browsing = Task.Run(() => Browse(new Uri(line)));
            }
        };
        var environment = new AppEnvironment(name => name == "MCPSM_CONFIG_DIR" ? Folder : Variables.GetValueOrDefault(name), Clock)
        {
            Remedies = CliRemedyFormatter.Instance,
        };
        var code = await McpsmCommand.RunAsync(arguments, console, environment, cancellationToken, VaultSources).WaitAsync(Longest, CancellationToken.None);
        await browsing.WaitAsync(Longest, CancellationToken.None);
        var ended = new CliResult(code, console.Out.ToString()!, console.Error.ToString()!);
        // A remedy must not repeat the command that has just failed.
        Assert.True(code == 0 || RepeatedCommand.Find(ended.Error, arguments) is null,
            $"'{string.Join(' ', arguments)}' failed, and the remedy repeats it: {ended.Error}");
        return ended;
    }

    /// <summary>Adds a server.</summary>
    public async Task AddAsync(Uri url, string name = "my-api", params string[] options) =>
        (await RunAsync(["add", name, "--type", "http", "--url", url.AbsoluteUri, .. options])).Done();

    /// <summary>Signs in with the shown URL.</summary>
    public Task<CliResult> LoginAsync(string name = "my-api", params string[] options) => RunAsync(
        ["auth", "login", name, "--no-browser", .. options, .. options.Contains("--timeout") ? [] : new[] { "--timeout", "30" }]);

    public async Task<JsonNode> StatusAsync(string name = "my-api") =>
        JsonNode.Parse((await RunAsync($"auth status {name} --json")).Out)!.AsArray().Single()!;

    public async Task<string> TokenAsync(string name = "my-api") =>
        (await RunAsync($"auth token {name}")).Done().Out.TrimEnd('\n');

    public string PathOf(string file) => Path.Combine(Folder, file);

    /// <summary>Returns the servers of <c>config.json</c>.</summary>
    public JsonArray Config() => JsonNode.Parse(File.ReadAllText(PathOf("config.json")))!["remoteServers"]!.AsArray();

    public void Write(string file, string content) => File.WriteAllText(PathOf(file), content);

    /// <summary>Returns the bytes of every file in the folder except the locks.</summary>
    public Dictionary<string, string> Files(params string[] except) => Directory
        .EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
        .Select(path => (Path: path, Name: Path.GetRelativePath(Folder, path)))
        .Where(file => !file.Name.StartsWith("locks") && !except.Contains(file.Name))
        .ToDictionary(file => file.Name, file => Convert.ToHexString(File.ReadAllBytes(file.Path)));

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
