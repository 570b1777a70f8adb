using McpSm.Relay.Messages;

namespace McpSm.Relay.Channels;

/// <summary>How messages reach a server of one era and transport, and how its messages come back.</summary>
internal interface IServerChannel
{
    /// <summary>Sends a request, and writes its answer to the client.</summary>
    Task SendRequestAsync(PendingRequest request);

    /// <summary>Sends a notification, a response or a batch of those. They are sent one after another.</summary>
    Task SendNotificationAsync(Message message, CancellationToken cancellationToken);

    /// <summary>Cancels a request that was sent.</summary>
    /// <param name="request">The request.</param>
    /// <param name="notification"><c>notifications/cancelled</c> of the client.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    Task CancelAsync(PendingRequest request, Message notification, CancellationToken cancellationToken);

    /// <summary>Ends the session with the server.</summary>
    Task EndAsync(CancellationToken cancellationToken);
}
