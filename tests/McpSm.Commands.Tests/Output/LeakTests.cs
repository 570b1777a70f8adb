using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Vaults;
using McpSm.Samples;
using McpSm.TestServers;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Commands.Tests.Output;

/// <summary>
/// Tests of every command with planted secrets from every source, and with servers and issuers that echo requests. No secret
/// is in the output or in a file, except the token that the command prints on request.
/// </summary>
public sealed class LeakTests : IDisposable
{
    private const string Planted = "PLANTED-5up3r-53cr3t";

    private readonly InProcessCli _mcpsm = new();
    private readonly List<string> _ran = [];

    public LeakTests()
    {
        _mcpsm.Variables["HOME"] = _mcpsm.Folder;
        _mcpsm.Variables["MCPSM_CALLBACK_PORT"] = "0";
    }

    public void Dispose() => _mcpsm.Dispose();

    /// <summary>Runs a command and searches its output for the planted secrets.</summary>
    private async Task<CliResult> RunAsync(string line, TestConsole? console = null)
    {
        _ran.Add(line);
        var ended = await _mcpsm.RunAsync(line, console);
        AssertClean(ended.Out + ended.Error, line);
        return ended;
    }

    private static void AssertClean(string text, string what)
    {
        var encoded = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(Planted))[..20];
        foreach (var form in new[] { Planted, Planted[..9], Uri.EscapeDataString(Planted), encoded })
        {
            Assert.False(text.Contains(form, StringComparison.OrdinalIgnoreCase), $"{what}\n{text}");
        }
    }

    private void AssertFilesClean(params string[] except)
    {
        foreach (var file in Directory.EnumerateFiles(_mcpsm.Folder, "*", SearchOption.AllDirectories).Where(f => !except.Contains(Path.GetFileName(f))))
        {
            AssertClean(File.ReadAllText(file), file);
        }
    }

    /// <summary>Echoes the credential in a status, its reason, a challenge, a location and a body.</summary>
    private static void Echo(TestMcpServer server, int status) => server.Faults.Intercept("/mcp", context =>
    {
        var sent = context.Request.Headers.Authorization.ToString();
        context.Response.StatusCode = status;
        context.Response.Headers["X-Echo"] = sent;
        if (status == 401)
        {
            context.Response.Headers.WWWAuthenticate = $"Bearer error=\"invalid_token\", error_description=\"{sent}\", realm=\"{sent}\"";
        }
        if (status is >= 300 and < 400)
        {
            context.Response.Headers.Location = "/" + Uri.EscapeDataString(sent) + "?token=" + sent.Split(' ')[^1];
        }
        context.Response.ContentType = "text/plain";
        return context.Response.WriteAsync(sent);
    });

    /// <summary>Answers each request with a stream whose only message is an error that quotes the credential.</summary>
    private static void EchoInStream(TestMcpServer server, bool asResult) => server.Faults.Intercept("/mcp", async context =>
    {
        var sent = context.Request.Headers.Authorization.ToString();
        var request = await JsonNode.ParseAsync(context.Request.Body);
        var message = new JsonObject { ["jsonrpc"] = "2.0", ["id"] = request!["id"]?.DeepClone() };
        message[asResult ? "result" : "error"] = asResult
            ? new JsonObject
            {
                ["protocolVersion"] = "2025-11-25",
                ["capabilities"] = new JsonObject(),
                ["serverInfo"] = new JsonObject { ["name"] = sent, ["version"] = sent },
            }
            : new JsonObject { ["code"] = -32000, ["message"] = sent, ["data"] = sent };
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync($"event: message\ndata: {message.ToJsonString()}\n\n");
    });

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(500)]
    [InlineData(307)]
    public async Task Server_that_echoes_the_credential_leaks_nothing(int status)
    {
        await using var server = await TestMcpServer.StartAsync();
        Echo(server, status);
        await _mcpsm.AddAsync(server.McpUrl);
        await _mcpsm.AddAsync(server.McpUrl, "sse-api");
        (await RunAsync("server update sse-api --type sse")).Done();
        foreach (var name in new[] { "my-api", "sse-api" })
        {
            (await RunAsync($"auth set {name} -", TestConsole.Pipe(Planted))).Done();
            foreach (var line in new[] { $"test {name} --timeout 5", $"test {name} --json --timeout 5", $"auth login {name} --no-browser --timeout 5" })
            {
                Assert.Equal(1, (await RunAsync(line)).Code);
            }
        }
        Assert.Contains(server.Traffic.Requests, r => r.Header("Authorization") == "Bearer " + Planted);
        AssertFilesClean();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Server_that_streams_the_credential_back_leaks_nothing(bool asResult)
    {
        await using var server = await TestMcpServer.StartAsync();
        EchoInStream(server, asResult);
        await _mcpsm.AddAsync(server.McpUrl);
        (await RunAsync("auth set my-api -", TestConsole.Pipe(Planted))).Done();
        await RunAsync("test my-api --timeout 5");
        await RunAsync("test --json --timeout 5");
        Assert.Contains(server.Traffic.Requests, r => r.Header("Authorization") == "Bearer " + Planted);
    }

    [Fact]
    public async Task Issuer_that_quotes_the_request_leaks_nothing()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        await _mcpsm.AddAsync(server.McpUrl);
        issuer.Faults.RewriteJson("/token", json => json["refresh_token"] = Planted + "-refresh", times: 1);
        (await RunAsync("auth login my-api --no-browser")).Done();
        _mcpsm.Variables["MCPSM_CLIENT_ID"] = "client";
        _mcpsm.Variables["MCPSM_CLIENT_SECRET"] = Planted;
        foreach (var (path, line) in new[]
        {
            ("/token", "auth refresh my-api"), ("/token", "auth login my-api --client-credentials"), ("/revoke", "auth logout my-api --force"),
        })
        {
            issuer.Faults.Intercept(path, async context =>
            {
                var form = await context.Request.ReadFormAsync();
                var header = context.Request.Headers.Authorization.ToString().Split(' ')[^1];
                var words = string.Join(" ", form.Select(f => $"{f.Key}={f.Value}")) + " " + header
                    + " " + System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(header));
                context.Response.StatusCode = 400;
                await context.Response.WriteAsync(new JsonObject { ["error"] = "invalid_request", ["error_description"] = words }.ToJsonString());
            });
            var error = (await RunAsync(line)).Error;
            Assert.Contains("…", error);
            // A Basic header has the secret in another encoding.
            Assert.DoesNotContain(Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes("client:" + Planted)), error);
        }
        Assert.Contains(issuer.Traffic.To("/token"), r => r.FormValue("refresh_token") == Planted + "-refresh");
        Assert.Contains(issuer.Traffic.To("/token"), r => r.FormValue("grant_type") == "client_credentials");
        AssertFilesClean();
    }

    [Fact]
    public async Task Commands_with_every_secret_leak_nothing()
    {
        await using var issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions { SupportsDeviceCode = true });
        await using var server = await TestMcpServer.StartAsync(issuer);
        issuer.Faults.RewriteJson("/token", json =>
        {
            json["refresh_token"] = Planted + "-refresh";
            server.AcceptedTokens[(string)(json["access_token"] = Planted + "-access")!] = true;
        });
        issuer.Faults.RewriteJson("/register", json => json["client_secret"] = Planted + "-client");
        _mcpsm.Variables["THE_SECRET"] = Planted;
        _mcpsm.Variables["MCPSM_VAULT_NEW_PASSPHRASE"] = Planted + "-phrase";
        _mcpsm.Variables["MCPSM_CLIENT_ID"] = Planted + "-id";
        _mcpsm.Variables["MCPSM_CLIENT_SECRET"] = Planted;
        _mcpsm.Write("key.pem", $"-----BEGIN PRIVATE KEY-----\n{Planted}\n-----END PRIVATE KEY-----\n");
        var url = server.McpUrl.AbsoluteUri;
        foreach (var line in new[]
        {
            $"add my-api --type http --url {url} --header X-Key={Planted} --client-secret-from-env THE_SECRET",
            $"add bearer --type http --url {url} --token {Planted}", $"add other --type http --url {url} --token {Planted} more",
            $"add x --type http --url https://user:{Planted}@a.example/", $"add x --type {Planted} --url {url}", $"add x --url {url} --{Planted}",
            $"add x --type http --url {url} --header {Planted}", $"add x --type http --url {url} --client-secret-from-env {Planted}",
            $"add x --type http --url {url} --header Authorization={Planted}", $"add x --type http --url {url} --token {Planted}é",
            $"server update my-api --header X-Other={Planted}", $"server update bearer --token {Planted}-2", $"server update my-api {Planted}",
            "list", "list --json", "auth status", "auth status --json", "auth login my-api --no-browser", "auth my-api --no-browser",
            "auth login-all --no-browser", "auth refresh my-api", "auth status my-api", "test", "test my-api", "test my-api --json",
            $"auth set bearer {Planted}", $"auth set bearer {Planted} more", $"auth set {Planted}", $"auth set bearer --tokn={Planted}",
            $"auth set bearer {Planted}é", $"auth {Planted} login", $"auth login my-api {Planted}", $"auth login my-api --timeout {Planted}",
            $"auth login my-api --callback-port {Planted}", $"[diagram] auth set bearer {Planted}", $"@{Planted}", Planted, $"--{Planted}",
            "identity", "identity --json", "identity login --non-interactive", "identity logout --force", "identity none",
            "config", "config --json", $"config set proxy http://user:{Planted}@proxy.example:1", $"config set {Planted} x", $"config unset {Planted}",
            "client", "client --json", "client add cursor my-api --dry-run",
            "vault", "vault --json", "vault list", "vault list --json", "vault use file", "vault use file --move", "vault rekey --passphrase",
        })
        {
            await RunAsync(line);
        }
        _mcpsm.Variables["MCPSM_VAULT_PASSPHRASE"] = Planted + "-wrong";
        (await RunAsync("auth status")).Done();
        (await RunAsync("auth logout my-api --force")).Failed(1, "the passphrase is wrong");
        _mcpsm.Variables["MCPSM_VAULT_PASSPHRASE"] = Planted + "-phrase";
        Assert.Equal(Planted, await _mcpsm.TokenAsync("bearer"));
        Assert.Equal(Planted + "-access", await _mcpsm.TokenAsync());
        await RunAsync("auth reject my-api", TestConsole.Pipe(Planted + "-access"));
        await RunAsync("auth reject bearer", TestConsole.Pipe(Planted));
        foreach (var line in new[]
        {
            "proxy my-api", "vault rekey --key-file", "auth login my-api --device --timeout 2",
            "auth logout my-api --force", "auth forget my-api", "auth revoke bearer", "auth revoke my-api",
            $"auth login my-api --client-key-file {_mcpsm.PathOf("key.pem")}", "auth login my-api --client-credentials",
            $"auth login my-api --assertion-file {_mcpsm.PathOf("key.pem")}", $"auth login my-api --assertion-from-env {Planted}",
            "auth login my-api --assertion-from-env PLANTED",
            "import", "import --dry-run", $"import {Planted.ToLowerInvariant()[8..]}", "remove bearer --yes",
            "auth --help", "--help", "--version", "completion bash",
        })
        {
            await RunAsync(line);
        }
        AssertFilesClean("key.pem");
        Assert.Contains(server.Traffic.Requests, r => r.Header("X-Key") == Planted && r.Header("Authorization") == $"Bearer {Planted}-access");
        // Fails if a new source of secrets is missing here.
        var help = (await _mcpsm.RunAsync("--help")).Out + (await _mcpsm.RunAsync("auth --help")).Out + (await _mcpsm.RunAsync("vault --help")).Out;
        foreach (var command in help.Split('\n').Select(l => l.Trim().Split(' ')[0]).Where(w => w.Length > 1 && char.IsAsciiLetterLower(w[0])))
        {
            Assert.True(command is "token" or "mcpsm" or "curl" || _ran.Any(line => line.Split(' ').Contains(command)), $"{command} is not run here");
        }
    }

    [Fact]
    public async Task Import_of_plaintext_secrets_leaks_nothing()
    {
        await using var server = await TestMcpServer.StartAsync();
        await _mcpsm.AddAsync(server.McpUrl);
        var config = JsonNode.Parse(File.ReadAllText(_mcpsm.PathOf("config.json")))!;
        var entry = config["remoteServers"]![0]!;
        entry["bearerToken"] = Planted;
        entry["headers"] = new JsonObject { ["X-Api-Key"] = Planted, ["Authorization"] = "Bearer " + Planted };
        entry["oauth"] = new JsonObject { ["clientSecret"] = Planted };
        _mcpsm.Write("config.json", config.ToJsonString());
        _mcpsm.Write("oauth-tokens.json", new JsonObject
        {
            ["my-api"] = new JsonObject { ["accessToken"] = Planted + "-2", ["refreshToken"] = Planted },
            ["gone"] = new JsonObject { ["accessToken"] = Planted },
        }.ToJsonString());
        foreach (var line in new[]
        {
            "list", "list --json", "auth status", "auth status --json", "test my-api --timeout 5", "auth refresh my-api", "auth logout my-api --force",
            "server update my-api --name Renamed", "import --dry-run", "import", "import my-api --force",
        })
        {
            await RunAsync(line);
        }
        // Tokens of an unknown server are not imported.
        AssertFilesClean("oauth-tokens.json");
        Assert.Equal(["gone"], JsonNode.Parse(File.ReadAllText(_mcpsm.PathOf("oauth-tokens.json")))!.AsObject().Select(t => t.Key));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Unexpected_failure_leaks_nothing_to_the_output(bool ours)
    {
        await _mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        var console = TestConsole.Pipe(Planted);
        var environment = new AppEnvironment(name => name == "MCPSM_CONFIG_DIR" ? _mcpsm.Folder : null);
        var code = await McpsmCommand.RunAsync(["auth", "set", "my-api", "-"], console, environment, Cancellation, [new Failing(ours)]);
        Assert.Equal(1, code);
        AssertClean(console.Out.ToString() + console.Error, "auth set");
        Assert.Contains(ours ? "It is broken" : "Unexpected error in Mcpsm: FormatException", console.Error.ToString());
    }

    /// <summary>A vault that fails with an exception that contains the secret.</summary>
    private sealed class Failing(bool ours) : IVaultProvider, IVault
    {
        public string Name => "failing";

        public string Protection => "None.";

        public IVault? Find(string name) => name == Name ? this : null;

        public Task<IReadOnlyList<IVault>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<IVault>>([this]);

        public Task<(IVault Vault, string? Notice)?> GetDefaultAsync(CancellationToken cancellationToken) => Task.FromResult<(IVault, string?)?>((this, null));

        public Task<string?> GetAsync(string item, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

        public Task SetAsync(string item, string text, CancellationToken cancellationToken) => throw (ours
            ? new McpAuthException(ErrorReason.VaultUnavailable, "It is broken.", innerException: new FormatException(text)) : new FormatException(text));

        public Task<bool> RemoveAsync(string item, CancellationToken cancellationToken) => Task.FromResult(false);

        public Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([]);
    }
}
