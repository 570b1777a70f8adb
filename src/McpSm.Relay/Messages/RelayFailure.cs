using McpSm.Core.Errors;

namespace McpSm.Relay.Messages;

/// <summary>Why the relay itself could not get an answer.</summary>
/// <param name="Code">A positive code: the HTTP status if there is one.</param>
/// <param name="Reason">An id for programs, as in <see cref="ErrorReason"/>.</param>
/// <param name="Text">One line for people, without secrets.</param>
/// <param name="Command">The next command for a person, or null.</param>
internal sealed record RelayFailure(int Code, string Reason, string Text, string? Command = null)
{
    public static RelayFailure FromStatus(int status, string server) =>
        new(status, nameof(ErrorReason.ProtocolViolation), $"'{server}' answered with HTTP status {status} and no JSON-RPC message.");
}
