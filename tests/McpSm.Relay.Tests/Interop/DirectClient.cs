using System.Net.ServerSentEvents;
using System.Text;
using System.Threading.Channels;
using McpSm.Core.Servers;

namespace McpSm.Relay.Tests.Interop;

/// <summary>A client that talks to a server over HTTP without the relay, at the level of messages.</summary>
internal sealed class DirectClient(Uri url, McpTransport transport) : IMessageClient
{
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private readonly Channel<string> _messages = Channel.CreateUnbounded<string>();
    private readonly CancellationTokenSource _ends = new();
    private readonly TaskCompletionSource<Uri> _endpoint = new();
    private readonly List<Task> _streams = [];
    private string? _session;

    public async Task SendAsync(string message)
    {
        if (transport == McpTransport.Sse)
        {
            if (_streams.Count == 0)
            {
                _streams.Add(ReadStreamAsync(await SendAsync(new HttpRequestMessage(HttpMethod.Get, url))));
            }
            using var accepted = await SendAsync(Post(await _endpoint.Task, message));
            accepted.EnsureSuccessStatusCode();
            return;
        }
        var response = await SendAsync(Post(url, message));
        _session ??= response.Headers.TryGetValues("Mcp-Session-Id", out var ids) ? ids.Single() : null;
        if (response.Content.Headers.ContentType?.MediaType == "text/event-stream")
        {
            _streams.Add(ReadStreamAsync(response));
        }
        else if (await response.Content.ReadAsStringAsync() is { Length: > 0 } body)
        {
            await _messages.Writer.WriteAsync(body);
        }
        if (message.Contains("notifications/initialized", StringComparison.Ordinal))
        {
            _streams.Add(ReadStreamAsync(await SendAsync(new HttpRequestMessage(HttpMethod.Get, url))));
        }
    }

    public async Task<string> ReceiveAsync(CancellationToken cancellationToken) => await _messages.Reader.ReadAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _ends.CancelAsync();
        await Task.WhenAll(_streams);
        _http.Dispose();
        _ends.Dispose();
    }

    private static HttpRequestMessage Post(Uri url, string message) =>
        new(HttpMethod.Post, url) { Content = new StringContent(message, Encoding.UTF8, "application/json") };

    private Task<HttpResponseMessage> SendAsync(HttpRequestMessage request)
    {
        request.Headers.Accept.ParseAdd("application/json, text/event-stream");
        if (_session is not null)
        {
            request.Headers.Add("Mcp-Session-Id", _session);
            request.Headers.Add("MCP-Protocol-Version", "2025-11-25");
        }
        return _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _ends.Token);
    }

    private async Task ReadStreamAsync(HttpResponseMessage response)
    {
        try
        {
            await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(_ends.Token)).EnumerateAsync(_ends.Token))
            {
                if (item.EventType == "endpoint")
                {
                    _endpoint.SetResult(new Uri(url, item.Data));
                }
                else if (item.Data.Length > 0)
                {
                    await _messages.Writer.WriteAsync(item.Data);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The test has ended.
        }
        finally
        {
            response.Dispose();
        }
    }
}
