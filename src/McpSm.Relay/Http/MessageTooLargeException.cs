namespace McpSm.Relay.Http;

/// <summary>An answer or an event of the server is larger than the limit.</summary>
/// <param name="limit">In bytes.</param>
internal sealed class MessageTooLargeException(int limit) : Exception($"The server sent a message of more than {limit / 1024 / 1024} MiB.");
