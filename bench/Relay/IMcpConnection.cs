namespace McpSm.Bench.Relay;

/// <summary>A connection to a server, at the level of messages.</summary>
internal interface IMcpConnection : IAsyncDisposable
{
    /// <summary>Sends a notification.</summary>
    Task SendAsync(string message);

    /// <summary>Sends a request.</summary>
    /// <returns>The answer, which has a result.</returns>
    Task<string> AskAsync(string message);

    /// <summary>Sends requests all at once, and waits for all answers.</summary>
    Task AskAllAsync(IReadOnlyList<string> messages);
}
