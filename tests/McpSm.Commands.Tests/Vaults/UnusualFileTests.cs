using System.Diagnostics;
using System.Net.Sockets;
using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Vaults;

/// <summary>Tests with folders, devices, sockets or endless files in the place of a file, and with pipes that a user can name.</summary>
public sealed class UnusualFileTests : IDisposable
{
    private static readonly Keys Key = Keys.Of("ES256");

    private readonly InProcessCli _mcpsm = new();

    public void Dispose() => _mcpsm.Dispose();

    public static TheoryData<string, string, string> Places()
    {
        var all = new TheoryData<string, string, string>();
        foreach (var (file, line) in new[]
        {
            ("config.json", "list"), ("config.json", "auth status"), ("config.json", "add b --type http --url https://b.example/mcp"),
            ("credentials.json", "auth token my-api"), ("credentials.json", "auth set my-api other"), ("credentials.enc", "auth token my-api"),
            ("credentials.enc", "auth set my-api other"), ("credentials.key", "auth token my-api"), ("settings.json", "vault"),
            ("settings.json", "vault use file"), ("oauth-tokens.json", "import"), ("locks/config.lock", "remove my-api --yes"),
            ("locks/server-my-api.lock", "auth set my-api other"),
        })
        {
            foreach (var what in new[] { "a named pipe", "a folder", "a socket", "a device", "too large" })
            {
                if (!file.StartsWith("locks") || what is "a named pipe" or "a folder" or "a socket")
                {
                    all.Add(file, line, what);
                }
            }
        }
        return all;
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Path_that_is_not_a_regular_file_is_one_error_at_once(string file, string line, string what)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such files.");
        await KeepAsync();
        var path = _mcpsm.PathOf(file);
        File.Delete(path);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        switch (what)
        {
            case "a named pipe":
                Require.Programs("mkfifo");
                await OtherUser.RunAsync("mkfifo", path);
                break;
            case "a folder":
                Directory.CreateDirectory(path);
                break;
            case "a socket":
                socket.Bind(new UnixDomainSocketEndPoint(path));
                break;
            case "a device":
                File.CreateSymbolicLink(path, "/dev/zero");
                break;
            default:
                using (var large = File.Create(path))
                {
                    large.SetLength(1L << 30);
                }
                break;
        }
        var started = Stopwatch.GetTimestamp();
        var before = GC.GetTotalAllocatedBytes();
        var ended = await _mcpsm.RunAsync(line);
        ended.Failed(1, $"Cannot use '{path}': it is ", what == "too large" ? "larger than 64 MB" : what);
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10));
        Assert.True(GC.GetTotalAllocatedBytes() - before < 100_000_000);
        Assert.True(File.Exists(path) || Directory.Exists(path), "the command removed the file");
        if (what == "a device")
        {
            Assert.Equal("/dev/zero", new FileInfo(path).LinkTarget);
        }
    }

    [Fact]
    public async Task Files_that_are_links_to_regular_files_work()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a special privilege on Windows.");
        await KeepAsync();
        var elsewhere = Directory.CreateDirectory(_mcpsm.PathOf("dotfiles")).FullName;
        foreach (var file in new[] { "config.json", "credentials.json", "credentials.enc", "credentials.key" })
        {
            File.Move(_mcpsm.PathOf(file), Path.Combine(elsewhere, file));
            File.CreateSymbolicLink(_mcpsm.PathOf(file), Path.Combine(elsewhere, file));
        }
        Assert.Equal("a-token", await _mcpsm.TokenAsync());
        (await _mcpsm.RunAsync("auth set my-api other-token")).Done();
        Assert.Equal("other-token", await _mcpsm.TokenAsync());
        Assert.NotNull(new FileInfo(_mcpsm.PathOf("credentials.enc")).LinkTarget);
    }

    [Fact]
    public async Task Lock_file_that_is_a_link_is_refused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a special privilege on Windows.");
        await KeepAsync();
        var (path, target) = (_mcpsm.PathOf("locks/config.lock"), _mcpsm.PathOf("made-by-a-link"));
        File.Delete(path);
        File.CreateSymbolicLink(path, target);
        (await _mcpsm.RunAsync("remove my-api --yes")).Failed(1, $"Cannot use '{path}': it is a link");
        Assert.False(File.Exists(target));
        File.WriteAllText(target, "");
        (await _mcpsm.RunAsync("remove my-api --yes")).Failed(1, $"Cannot use '{path}': it is a link");
    }

    [Theory]
    [InlineData("a named pipe")]
    [InlineData("/dev/fd")]
    public async Task Client_key_from_a_pipe_signs_in(string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such files.");
        Require.Programs("bash", "mkfifo");
        await using var issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions
        {
            PreRegisteredClients = [new RegisteredClient("a-job", null, [], "private_key_jwt") { AssertionKey = Key.Public }],
        });
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new CliProcess();
        mcpsm.Variables["MCPSM_VAULT"] = "file";
        mcpsm.Variables["MCPSM_CLIENT_ID"] = "a-job";
        (await mcpsm.RunAsync($"add my-api --type http --url {server.McpUrl}")).Done();
        var pem = Path.Combine(mcpsm.Folder, "key.pem");
        File.WriteAllText(pem, Key.Private);
        var script = kind == "/dev/fd" ? $"mcpsm auth login my-api --client-key-file <(sleep 0.2; cat '{pem}')"
            : $"mkfifo '{pem}.pipe'; (sleep 0.5; cat '{pem}' > '{pem}.pipe') & mcpsm auth login my-api --client-key-file '{pem}.pipe'";
        Assert.Contains("Signed in", (await mcpsm.RunProgramAsync("bash", "-c", script)).Done().Out);
    }

    [Theory]
    [InlineData("auth login my-api --client-key-file {0}", null)]
    [InlineData("auth login my-api --assertion-file {0}", null)]
    [InlineData("auth login my-api --client-credentials", "MCPSM_CLIENT_KEY_FILE")]
    public async Task Ctrl_C_ends_the_wait_for_an_empty_pipe(string line, string? variable)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such files.");
        Require.Programs("mkfifo");
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        await _mcpsm.AddAsync(server.McpUrl);
        var pipe = _mcpsm.PathOf("pipe");
        await OtherUser.RunAsync("mkfifo", pipe);
        _mcpsm.Variables["MCPSM_CLIENT_ID"] = "c";
        if (variable is not null)
        {
            _mcpsm.Variables[variable] = pipe;
        }
        foreach (var open in new[] { false, true })
        {
            // Without a writer, and with a writer that writes nothing.
            using var writer = open ? new FileStream(pipe, FileMode.Open, FileAccess.ReadWrite) : null;
            using var cancel = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            var started = Stopwatch.GetTimestamp();
            var ended = await _mcpsm.RunUntilAsync(string.Format(line, pipe).Split(' '), null, cancel.Token);
            Assert.Equal(130, ended.Code);
            Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(10));
        }
    }

    [Theory]
    [InlineData("--client-key-file", "/dev/zero", "it is larger than 1024 KiB")]
    [InlineData("--client-key-file", "/dev/null", "it is not an RSA or EC private key")]
    [InlineData("--client-key-file", "FOLDER", "it is a folder")]
    [InlineData("--client-key-file", "FOLDER/nosuch", "it does not exist")]
    [InlineData("--client-key-file", "FOLDER/empty-pipe", "it is not an RSA or EC private key")]
    [InlineData("--assertion-file", "/dev/zero", "it is larger than 64 KiB")]
    [InlineData("--assertion-file", "/dev/null", "it is empty")]
    [InlineData("--assertion-file", "FOLDER", "it is a folder")]
    [InlineData("--assertion-file", "FOLDER/nosuch", "it does not exist")]
    [InlineData("--assertion-file", "FOLDER/empty-pipe", "it is empty")]
    public async Task Unusable_file_of_an_option_is_one_error_that_names_it(string option, string path, string why)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such files.");
        Require.Programs("mkfifo", "sh");
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        await _mcpsm.AddAsync(server.McpUrl);
        _mcpsm.Variables["MCPSM_CLIENT_ID"] = "c";
        path = path.Replace("FOLDER", _mcpsm.Folder);
        Process? writer = null;
        if (path.EndsWith("empty-pipe"))
        {
            await OtherUser.RunAsync("mkfifo", path);
            writer = Process.Start("sh", ["-c", $": > '{path}'"]);
        }
        var ended = (await _mcpsm.RunAsync(["auth", "login", "my-api", option, path])).Failed(2, why);
        Assert.True(ended.Error.Contains(path) || !why.StartsWith("it is larger") && !why.StartsWith("there"), ended.Error);
        if (writer is not null)
        {
            await writer.WaitForExitAsync(Cancellation);
            writer.Dispose();
        }
    }

    private async Task KeepAsync()
    {
        await _mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        _mcpsm.Variables["HOME"] = _mcpsm.Folder;
        (await _mcpsm.RunAsync("auth set my-api a-token")).Done();
    }
}
