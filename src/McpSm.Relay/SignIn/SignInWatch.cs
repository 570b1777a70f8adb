using McpSm.Core.Errors;
using McpSm.Relay.Messages;

namespace McpSm.Relay.SignIn;

/// <summary>Waits for the credential that a sign-in of this relay, of another relay or of a person gives.</summary>
/// <param name="broker">Starts sign-ins and tells their state.</param>
/// <param name="server">The name of the server, for messages.</param>
/// <param name="command">The command that signs in.</param>
/// <param name="options">The options of the relay.</param>
internal sealed class SignInWatch(ISignInBroker broker, string server, string? command, RelayOptions options)
{
    public ISignInBroker Broker => broker;

    /// <summary>The name of the server.</summary>
    public string Server => server;

    /// <summary>What to tell a client that does not get a credential.</summary>
    /// <param name="cause">A sentence.</param>
    public RelayFailure Refusal(string cause) => new(401, nameof(ErrorReason.AuthenticationRequired),
        command is null ? cause : $"{cause} Run '{command}'.", command);

    public RelayFailure Declined() => Refusal($"The sign-in to '{server}' was declined.");

    public RelayFailure NoBrowser() => Refusal($"You are not signed in to '{server}', and no browser can be opened here.");

    public RelayFailure TimedOut(TimeSpan limit) => Refusal($"No person signed in to '{server}' within {limit.TotalSeconds:0} seconds.");

    public RelayFailure Failed(string cause) => Refusal($"The sign-in to '{server}' failed: {cause.TrimEnd('.')}.");

    public RelayFailure EndedElsewhere() => Refusal($"A sign-in to '{server}' ended a short time ago without a credential that the server accepts.");

    /// <summary>Waits a moment.</summary>
    public Task PauseAsync(CancellationToken cancellationToken) => Task.Delay(options.SignInPollInterval, options.Time, cancellationToken);

    /// <summary>Waits until there is a credential, or until the sign-in has ended without one.</summary>
    /// <returns>Null if there is a credential; else what to tell the client.</returns>
    public async Task<RelayFailure?> WaitAsync(ISignInAttempt attempt, CancellationToken cancellationToken)
    {
        while (!broker.HasNewCredential())
        {
            if (attempt.Completion.IsCompleted)
            {
                var failure = await attempt.Completion.ConfigureAwait(false);
                // The credential may have been stored after the look at the index.
                return broker.HasNewCredential() ? null : Failed(failure ?? "it gave no credential");
            }
            await Task.WhenAny(attempt.Completion, PauseAsync(cancellationToken)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }
        return null;
    }

    /// <summary>Waits until another process has stored a credential.</summary>
    /// <returns>Null if there is a credential; else what to tell the client.</returns>
    public async Task<RelayFailure?> WaitForOthersAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        for (var began = options.Time.GetTimestamp(); !broker.HasNewCredential(); await PauseAsync(cancellationToken).ConfigureAwait(false))
        {
            if (broker.HasEndedElsewhere())
            {
                return EndedElsewhere();
            }
            if (options.Time.GetElapsedTime(began) >= limit)
            {
                return TimedOut(limit);
            }
        }
        return null;
    }
}
