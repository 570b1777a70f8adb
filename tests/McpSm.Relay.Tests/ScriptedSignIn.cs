using McpSm.Relay.SignIn;

namespace McpSm.Relay.Tests;

/// <summary>A sign-in that a test performs, in place of the process that <c>mcpsm proxy</c> starts.</summary>
internal sealed class ScriptedSignIn : ISignInBroker, ISignInAttempt
{
    private readonly TaskCompletionSource<string?> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsForPerson { get; init; } = true;

    public bool HasDesktop { get; init; } = true;

    /// <summary>Whether another relay has the turn to ask.</summary>
    public bool IsTaken { get; set; }

    public bool HasEnded { get; set; }

    /// <summary>Whether the server accepts the credential.</summary>
    public volatile bool HasCredential;

    /// <summary>Whether the person agreed, or the browser was opened.</summary>
    public Task Begun => _begun.Task;

    public bool IsInBrowser { get; private set; }

    public bool IsDisposed { get; private set; }

    public int Attempts { get; private set; }

    public Uri? Url { get; init; } = new("https://login.example.com/authorize?a=1&b=2");

    public bool IsSignedIn => HasCredential;

    public Task<string?> Completion => _completion.Task;

    public bool IsStarted { get; private set; }

    /// <summary>Ends the sign-in.</summary>
    /// <param name="failure">Null for success.</param>
    public void End(string? failure = null)
    {
        HasCredential = failure is null;
        _completion.TrySetResult(failure);
    }

    public void NoteRefusal()
    {
    }

    public bool HasNewCredential() => HasCredential;

    public bool HasEndedElsewhere() => HasEnded;

    public ISignInAttempt? TryBegin()
    {
        if (IsTaken)
        {
            return null;
        }
        Attempts++;
        return this;
    }

    public Task<Uri?> StartAsync(CancellationToken cancellationToken)
    {
        IsStarted = true;
        return Task.FromResult(Url);
    }

    public void Approve() => _begun.TrySetResult();

    public void StartInBrowser()
    {
        IsStarted = IsInBrowser = true;
        _begun.TrySetResult();
    }

    public void Dispose() => IsDisposed = true;
}
