using System.Net.Http.Headers;
using System.Text;

namespace McpSm.Bench.Relay;

/// <summary>A client that talks to the server itself: the floor for a relay.</summary>
internal sealed class DirectConnection : IMcpConnection
{
    private readonly HttpClient _http = new();
    private readonly Uri _url;

    public DirectConnection(Uri url)
    {
        _url = url;
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", FastServer.Token);
        _http.DefaultRequestHeaders.Accept.ParseAdd("application/json, text/event-stream");
    }

    public Task SendAsync(string message) => AskAsync(message);

    public async Task<string> AskAsync(string message)
    {
        using var content = new StringContent(message, Encoding.UTF8, "application/json");
        using var response = await _http.PostAsync(_url, content);
        return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
    }

    public Task AskAllAsync(IReadOnlyList<string> messages) => Task.WhenAll(messages.Select(AskAsync));

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }
}
