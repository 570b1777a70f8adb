using McpSm.Core.Servers;

namespace McpSm.Relay.Tests.Interop;

/// <summary>A client that talks to a server through the relay.</summary>
internal sealed class RelayedClient(Uri url, McpTransport transport) : IMessageClient
{
    private readonly RelayClient _relay = new(url, transport);

    public Task SendAsync(string message) => _relay.SendAsync(message);

    public async Task<string> ReceiveAsync(CancellationToken cancellationToken) => await _relay.ReadLineAsync().WaitAsync(cancellationToken);

    public ValueTask DisposeAsync() => _relay.DisposeAsync();
}
