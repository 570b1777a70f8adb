namespace McpSm.Relay.Tests.Interop;

/// <summary>A connection to a server that passes messages as text.</summary>
internal interface IMessageClient : IAsyncDisposable
{
    Task SendAsync(string message);

    Task<string> ReceiveAsync(CancellationToken cancellationToken);
}
