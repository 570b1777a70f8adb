using System.Diagnostics;
using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Proxy;

/// <summary>An issuer, a server that is named <c>my-api</c>, and the messages of an MCP client that starts <c>mcpsm proxy</c>.</summary>
public sealed class RelayScene : IAsyncDisposable
{
    public const string Initialize =
        """{"jsonrpc":"2.0","id":0,"method":"initialize","""
        + """ "params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}""";

    public const string Initialized = """{"jsonrpc":"2.0","method":"notifications/initialized"}""";
    public const string ListTools = """{"jsonrpc":"2.0","id":1,"method":"tools/list"}""";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private RelayScene(TestIssuer issuer, TestMcpServer server) => (Issuer, Server) = (issuer, server);

    public TestIssuer Issuer { get; }

    public TestMcpServer Server { get; }

    public CliProcess Mcpsm { get; } = new();

    /// <param name="isSignedIn">Whether a person has signed in.</param>
    public static async Task<RelayScene> StartAsync(bool isSignedIn = true)
    {
        var issuer = await TestIssuer.StartAsync();
        var scene = new RelayScene(issuer, await TestMcpServer.StartAsync(issuer));
        (await scene.Mcpsm.RunAsync($"add my-api --type http --url {scene.Server.McpUrl}")).Done();
        if (isSignedIn)
        {
            (await scene.Mcpsm.RunAsync("auth login my-api")).Done();
        }
        return scene;
    }

    public Process StartRelay(params string[] options) => Mcpsm.Start(["proxy", "my-api", .. options]);

    /// <summary>Lets the server refuse the token until it was renewed, and holds the renewal.</summary>
    /// <returns>A task that ends when the issuer has the refresh token, and what lets the issuer answer.</returns>
    public (Task Reached, TaskCompletionSource Release) HoldRenewal()
    {
        var (reached, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        Server.Introspect = token => release.Task.IsCompleted ? Issuer.Server.Introspect(token) : null;
        Issuer.Faults.Before("/token", _ =>
        {
            reached.TrySetResult();
            return release.Task;
        });
        return (reached.Task, release);
    }

    public static async Task<JsonNode> AskAsync(Process relay, string message)
    {
        await relay.StandardInput.WriteLineAsync(message);
        return JsonNode.Parse(await ReadLineAsync(relay) ?? throw new InvalidOperationException(await relay.StandardError.ReadToEndAsync()))!;
    }

    public static Task<string?> ReadLineAsync(Process relay) =>
        relay.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Limit, TestContext.Current.CancellationToken);

    /// <summary>Waits for the end of the process.</summary>
    public static async Task<int> EndedAsync(Process relay)
    {
        await relay.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Limit, TestContext.Current.CancellationToken);
        return relay.ExitCode;
    }

    public static void Signal(int process, string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, process.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        Mcpsm.Dispose();
        await Server.DisposeAsync();
        await Issuer.DisposeAsync();
    }
}
