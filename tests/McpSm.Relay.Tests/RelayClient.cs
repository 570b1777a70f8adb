using System.IO.Pipelines;
using System.Text;
using System.Text.Json.Nodes;
using McpSm.Core.Servers;

namespace McpSm.Relay.Tests;

/// <summary>An MCP client that started a relay, at the level of lines.</summary>
internal sealed class RelayClient : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly Pipe _toRelay = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly Pipe _fromRelay = new(new PipeOptions(pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 32 * 1024));
    private readonly HttpMessageInvoker _http;
    private readonly StdioRelay _relay;
    private readonly StreamReader _lines;
    private readonly CancellationTokenSource _signal = new();

    public RelayClient(Uri url, McpTransport transport = McpTransport.Http, RelayOptions? options = null, DelegatingHandler? handler = null)
    {
        var sockets = new SocketsHttpHandler { AllowAutoRedirect = false };
        handler?.InnerHandler = sockets;
        _http = new HttpMessageInvoker(handler ?? (HttpMessageHandler)sockets);
        var server = new McpServer { Id = "my-api", Name = "my-api", Url = url.OriginalString, Transport = transport };
        _lines = new StreamReader(_fromRelay.Reader.AsStream(), new UTF8Encoding(false));
        _relay = new StdioRelay(server, _toRelay.Reader.AsStream(), _fromRelay.Writer.AsStream(), _ => _http, e => $"mcpsm auth login {e.Server}",
            options ?? new RelayOptions { Log = Log.Enqueue });
        Ended = _relay.RunAsync(_signal.Token);
    }

    public System.Collections.Concurrent.ConcurrentQueue<string> Log { get; } = new();

    /// <summary>The exit code.</summary>
    public Task<int> Ended { get; }

    public Task SendAsync(string line) => SendAsync(Encoding.UTF8.GetBytes(line + "\n"));

    public async Task SendAsync(byte[] bytes) => await _toRelay.Writer.WriteAsync(bytes);

    /// <summary>The next line that the relay writes.</summary>
    public async Task<string> ReadLineAsync() =>
        await _lines.ReadLineAsync().WaitAsync(Limit) ?? throw new InvalidOperationException("The relay closed its output.");

    public async Task<JsonObject> ReadAsync() => JsonNode.Parse(await ReadLineAsync())!.AsObject();

    /// <summary>Whether a line comes within a short time.</summary>
    public async Task<bool> IsSilentAsync(TimeSpan time) => await Task.WhenAny(_lines.BaseStream.ReadAsync(new byte[1]).AsTask(), Task.Delay(time)) is { } first
        && first is not Task<int>;

    public async Task<JsonObject> AskAsync(string line)
    {
        await SendAsync(line);
        return await ReadAsync();
    }

    /// <summary>Opens a session as a client of 2025-11-25 does.</summary>
    public async Task<JsonObject> InitializeAsync()
    {
        var answer = await AskAsync("""{"jsonrpc":"2.0","id":0,"method":"initialize","""
            + """ "params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}""");
        await SendAsync("""{"jsonrpc":"2.0","method":"notifications/initialized"}""");
        return answer;
    }

    public async Task<int> EndInputAsync()
    {
        await _toRelay.Writer.CompleteAsync();
        return await Ended.WaitAsync(Limit);
    }

    public async ValueTask DisposeAsync()
    {
        await _toRelay.Writer.CompleteAsync();
        await _fromRelay.Reader.CompleteAsync();
        await Ended.WaitAsync(Limit);
        _relay.Dispose();
        _http.Dispose();
        _signal.Dispose();
    }
}
