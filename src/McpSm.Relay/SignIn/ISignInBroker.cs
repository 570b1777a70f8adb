namespace McpSm.Relay.SignIn;

/// <summary>Begins sign-ins of a person outside of the relay, and sees their results and those of other processes.</summary>
internal interface ISignInBroker
{
    /// <summary>Whether a person may sign in: not if the server has a credential of a client, a workload or the user's own.</summary>
    bool IsForPerson { get; }

    /// <summary>Whether the server has a credential that can be used or renewed.</summary>
    bool IsSignedIn { get; }

    /// <summary>Whether a browser can show a window.</summary>
    bool HasDesktop { get; }

    /// <summary>Remembers the present credential as one that the server refuses.</summary>
    void NoteRefusal();

    /// <summary>Whether the server has a usable credential other than the one that it refused.</summary>
    bool HasNewCredential();

    /// <summary>Begins a sign-in.</summary>
    /// <returns>Null if another relay is about to, or if a browser was opened for this server a short time ago.</returns>
    ISignInAttempt? TryBegin();

    /// <summary>Whether a sign-in of a relay ended a short time ago, so that another one is not due.</summary>
    bool HasEndedElsewhere();
}
