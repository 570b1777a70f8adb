using McpSm.Relay.Channels;
using McpSm.Relay.Messages;

namespace McpSm.Relay.SignIn;

/// <summary>Sends <c>initialize</c> to the server, and sees the answer.</summary>
/// <param name="writer">Writes to the client.</param>
/// <param name="forward">Sends the request, and writes the answer.</param>
/// <param name="memory">Remembers what the server says; null to forget it.</param>
internal sealed class InitializeExchange(MessageWriter writer, Func<PendingRequest, Task> forward, ServerMemory? memory)
{
    /// <summary>Sends the request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="isHidden">Whether the answer is not for the client, which has one already.</param>
    /// <returns>The answer; null if the client cancelled the request.</returns>
    public async Task<Message?> SendAsync(PendingRequest request, bool isHidden)
    {
        Message? answer = null;
        writer.Intercept = json =>
        {
            if (Message.Parse(json) is not { Kind: MessageKind.Response } message || message.IdKey != request.Message.IdKey)
            {
                return false;
            }
            answer = message;
            return isHidden;
        };
        try
        {
            await forward(request).ConfigureAwait(false);
        }
        finally
        {
            writer.Intercept = null;
        }
        if (answer is { IsError: false })
        {
            memory?.Write(answer);
        }
        return answer;
    }
}
