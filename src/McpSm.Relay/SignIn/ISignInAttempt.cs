using McpSm.Core.Errors;

namespace McpSm.Relay.SignIn;

/// <summary>One sign-in, which runs in another process. That process outlives the relay once the person agreed.</summary>
internal interface ISignInAttempt : IDisposable
{
    /// <summary>Completes when the sign-in has ended: null for success, else what went wrong, in one line.</summary>
    Task<string?> Completion { get; }

    /// <summary>Whether the sign-in has begun.</summary>
    bool IsStarted { get; }

    /// <summary>Begins a sign-in that opens no browser, and returns the URL to open; null if it ended without asking a person.</summary>
    /// <exception cref="McpAuthException">The sign-in cannot be started.</exception>
    Task<Uri?> StartAsync(CancellationToken cancellationToken);

    /// <summary>Notes that the person agreed to open the URL: other relays must not ask, and the sign-in outlives the relay.</summary>
    /// <exception cref="McpAuthException">The note cannot be written.</exception>
    void Approve();

    /// <summary>Begins a sign-in that opens the browser, and notes it.</summary>
    /// <exception cref="McpAuthException">The sign-in cannot be started, or the note cannot be written.</exception>
    void StartInBrowser();
}
