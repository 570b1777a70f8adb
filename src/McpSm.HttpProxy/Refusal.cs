using McpSm.Relay.Messages;

namespace McpSm.HttpProxy;

/// <summary>An answer of the proxy itself.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Failure">What the body says.</param>
internal sealed record Refusal(int Status, RelayFailure Failure);
