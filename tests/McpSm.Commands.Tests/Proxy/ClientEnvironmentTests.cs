using System.Diagnostics;
using McpSm.Commands.Tests.Servers;
using McpSm.Core.Configuration;
using McpSm.Core.Processes;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Proxy;

/// <summary>
/// A relay with only the environment that an MCP client gives. It finds its vault, the keyring of the desktop, the proxy and the authorities of the
/// company, and the server behind them.
/// </summary>
public sealed class ClientEnvironmentTests : IAsyncLifetime
{
    private ProxyFixture _scene = null!;
    private string _home = null!;

    private string Authority => Path.Combine(_scene.Mcpsm.Folder, "authority.pem");

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The environments are shown on Linux.");
        _scene = await ProxyFixture.StartAsync();
        _home = Directory.CreateDirectory(Path.Combine(_scene.Mcpsm.Folder, "home")).FullName;
        foreach (var (name, value) in new[] { ("HOME", _home), ("MCP_MANAGER_CONFIG_DIR", null), ("SSL_CERT_FILE", null), ("MCPSM_CALLBACK_PORT", "0") })
        {
            _scene.Mcpsm.Variables[name] = value;
        }
        await SetAsync("proxy", _scene.Proxy.Url);
        await SetAsync("ca-file", Authority);
    }

    public async ValueTask DisposeAsync()
    {
        if (_scene is not null)
        {
            await _scene.DisposeAsync();
        }
    }

    public static TheoryData<string> Clients => ["SDK", "Codex", "Gemini", "desktop"];

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Relay_of_a_client_opens_the_file_vault_with_the_key_file_of_the_settings(string client)
    {
        (await _scene.Mcpsm.RunAsync("vault use file")).Done();
        var keys = Directory.CreateDirectory(Path.Combine(_scene.Mcpsm.Folder, "keys")).FullName;
        (await _scene.LoginAsync()).Done();
        File.Move(Path.Combine(_home, ".mcp-manager", "credentials.key"), Path.Combine(keys, "mcpsm.key"));
        await SetAsync("vault-key-file", Path.Combine(keys, "mcpsm.key"));

        await RequireRelayAsync(client, []);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Relay_of_a_client_finds_the_keyring_of_the_login_session(string client)
    {
        await using var keyring = await Keyring.StartAsync();
        await RequireMountsAsync();
        foreach (var (name, value) in keyring.Variables.Where(variable => variable.Key != "HOME"))
        {
            _scene.Mcpsm.Variables[name] = value;
        }
        (await _scene.Mcpsm.RunAsync("vault use secret-service")).Done();
        (await _scene.LoginAsync()).Done();
        Assert.False(File.Exists(Path.Combine(_home, ".mcp-manager", "credentials.enc")));

        // In a mount namespace of its own, /run/user/<uid> is the runtime folder of the session with the keyring.
        const string mount = "own=/run/user/$(id -u); mount -t tmpfs none /run/user && mkdir -m 700 $own && mount --bind \"$0\" $own && exec \"$@\"";
        await RequireRelayAsync(client, ["/usr/bin/unshare", "-m", "sh", "-c", mount, Path.GetDirectoryName(keyring.Socket)!]);
    }

    /// <summary>Asks for the tools of the server through a relay, and requires that the requests went through the proxy.</summary>
    private async Task RequireRelayAsync(string client, string[] before)
    {
        _scene.Proxy.Connections.Clear();
        var program = _scene.Mcpsm.Executable;
        string[] line = [.. before, new ProgramFinder(new AppEnvironment()).Find(program[0])[0], .. program[1..], "proxy", "my-api"];
        var start = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Clear();
        foreach (var (name, value) in EnvironmentOf(client))
        {
            start.Environment[name] = value;
        }
        using var relay = Process.Start(start)!;
        try
        {
            Assert.NotNull((await RelayScene.AskAsync(relay, RelayScene.Initialize))["result"]?["protocolVersion"]);
            await relay.StandardInput.WriteLineAsync(RelayScene.Initialized);
            Assert.NotNull((await RelayScene.AskAsync(relay, RelayScene.ListTools))["result"]?["tools"]);
            relay.StandardInput.Close();
            Assert.Equal(0, await RelayScene.EndedAsync(relay));
            Assert.Equal("", await relay.StandardError.ReadToEndAsync(Cancellation));
        }
        finally
        {
            if (!relay.HasExited)
            {
                relay.Kill(entireProcessTree: true);
            }
        }
        Assert.Contains("mcp.example:443", _scene.Proxy.Connections);
    }

    private Dictionary<string, string> EnvironmentOf(string client)
    {
        // What the SDKs of MCP pass on by default.
        Dictionary<string, string> sdk = new()
        {
            ["HOME"] = _home,
            ["LOGNAME"] = "user",
            ["PATH"] = "/usr/local/bin:/usr/bin:/bin",
            ["SHELL"] = "/bin/sh",
            ["TERM"] = "xterm-256color",
            ["USER"] = "user",
        };
        return client switch
        {
            "SDK" => sdk,
            "Codex" => new(sdk)
            {
                ["LANG"] = "de_DE.UTF-8",
                ["LC_ALL"] = "C",
                ["TMPDIR"] = _scene.Mcpsm.Folder,
                ["TZ"] = "Asia/Tokyo",
                ["SSL_CERT_FILE"] = Authority,
                ["CODEX_CA_CERTIFICATE"] = Authority,
            },
            // Everything except names with these words: the key file of the variable is dropped, so that of the settings is used.
            "Gemini" => new Dictionary<string, string>(sdk)
            {
                ["MCPSM_VAULT_KEY_FILE"] = "/nowhere/mcpsm.key",
                ["XAUTHORITY"] = "/nowhere/.Xauthority",
                ["SSH_AUTH_SOCK"] = "/nowhere/agent",
                ["EDITOR"] = "vi",
                ["GEMINI_CLI"] = "1",
            }.Where(variable => !new[] { "TOKEN", "SECRET", "KEY", "AUTH" }.Any(variable.Key.Contains)).ToDictionary(),
            // What launchd gives to a program of the desktop on macOS, which does not read the files of a shell.
            _ => new()
            {
                ["HOME"] = _home,
                ["LOGNAME"] = "user",
                ["PATH"] = "/usr/bin:/bin:/usr/sbin:/sbin",
                ["SHELL"] = "/bin/zsh",
                ["TMPDIR"] = _scene.Mcpsm.Folder,
                ["USER"] = "user",
                ["XPC_FLAGS"] = "0x0",
                ["XPC_SERVICE_NAME"] = "application.com.example.desktop",
                ["__CF_USER_TEXT_ENCODING"] = "0x1F5:0x0:0x0",
            },
        };
    }

    private static async Task RequireMountsAsync()
    {
        Require.Programs("unshare", "mount", "sh");
        using var trial = Process.Start(new ProcessStartInfo("unshare", ["-m", "sh", "-c", "mount -t tmpfs none /run/user"]) { RedirectStandardError = true })!;
        await trial.WaitForExitAsync(Cancellation);
        Require.OrSkip(trial.ExitCode == 0, "Mounting needs Linux, root and /run/user.");
    }

    private async Task SetAsync(string name, string value) => (await _scene.Mcpsm.RunAsync(["config", "set", name, value])).Done();
}
