using System.Collections.Concurrent;
using McpSm.Core.Errors;
using McpSm.Core.Interruption;
using McpSm.Relay.Channels;
using McpSm.Relay.Messages;

namespace McpSm.Relay.SignIn;

/// <summary>
/// Lets a person sign in from inside a client of 2026-07-28. Three methods may be answered with <c>input_required</c> (Multi Round-Trip
/// Requests); the others fail.
/// </summary>
internal sealed class StatelessSignIn(SignInWatch watch, RelayOptions options, MessageWriter writer, Upstream upstream)
{
    private const string StatePrefix = "mcpsm-sign-in-";

    private readonly ConcurrentDictionary<string, ISignInAttempt> _attempts = new(StringComparer.Ordinal);
    private volatile bool _hasAsked;

    /// <summary>Sends a request, and writes its answer or the question to the person.</summary>
    /// <param name="request">The request.</param>
    /// <param name="mayAsk">Whether a person may be asked.</param>
    /// <exception cref="McpAuthException">The person cannot be asked.</exception>
    /// <exception cref="RequestFailedException">No person signed in.</exception>
    public async Task SendAsync(PendingRequest request, bool mayAsk)
    {
        var message = request.Message;
        if (_hasAsked && RequestInput.ReadState(message) is { } state && state.StartsWith(StatePrefix, StringComparison.Ordinal))
        {
            await ResumeAsync(request, state).ConfigureAwait(false);
            return;
        }
        try
        {
            await upstream.SendAsync(request).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (mayAsk && CredentialFailure.IsIt(e)
            && message.Method is "tools/call" or "prompts/get" or "resources/read" && RequestInput.ReadState(message) is null)
        {
            watch.Broker.NoteRefusal();
            await AskAsync(request).ConfigureAwait(false);
        }
    }

    private async Task AskAsync(PendingRequest request)
    {
        if (watch.Broker.TryBegin() is not { } attempt)
        {
            Require(await watch.WaitForOthersAsync(options.SignInTimeout, request.Token).ConfigureAwait(false));
            await upstream.SendAsync(request).ConfigureAwait(false);
            return;
        }
        var isKept = false;
        try
        {
            var mode = Elicitation.ModeOf(request.Message, request.Message.MetaVersion!);
            if (mode != ElicitationMode.Url && !watch.Broker.HasDesktop)
            {
                throw new RequestFailedException(watch.NoBrowser());
            }
            var url = mode == ElicitationMode.Url ? await attempt.StartAsync(request.Token).ConfigureAwait(false) : null;
            if (url is not null || mode == ElicitationMode.Form)
            {
                var state = $"{StatePrefix}{Guid.NewGuid():N}";
                _attempts[state] = attempt;
                _hasAsked = isKept = true;
                Forget(state, attempt);
                await writer.WriteAsync(Elicitation.CreateInputRequired(request.Message.Id, state, watch.Server, url), request.Token).ConfigureAwait(false);
                return;
            }
            if (mode == ElicitationMode.None)
            {
                attempt.StartInBrowser();
            }
            await WaitAsync(attempt, request).ConfigureAwait(false);
            await upstream.SendAsync(request).ConfigureAwait(false);
        }
        finally
        {
            if (!isKept)
            {
                attempt.Dispose();
            }
        }
    }

    /// <summary>Goes on with a request that the client repeats with the answer of the person.</summary>
    private async Task ResumeAsync(PendingRequest request, string state)
    {
        var isAccepted = Elicitation.IsAccepted(request.Message, state);
        if (_attempts.TryRemove(state, out var attempt))
        {
            using (attempt)
            {
                if (!isAccepted)
                {
                    throw new RequestFailedException(watch.Declined());
                }
                if (attempt.IsStarted)
                {
                    attempt.Approve();
                }
                else
                {
                    attempt.StartInBrowser();
                }
                await WaitAsync(attempt, request).ConfigureAwait(false);
            }
        }
        using var original = new PendingRequest(RequestInput.Remove(request.Message), request.Token);
        await upstream.SendAsync(original).ConfigureAwait(false);
    }

    private async Task WaitAsync(ISignInAttempt attempt, PendingRequest request)
    {
        using var limit = new TimeLimit(options.Time, options.SignInTimeout, request.Token);
        try
        {
            Require(await watch.WaitAsync(attempt, limit.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!request.Token.IsCancellationRequested)
        {
            throw new RequestFailedException(watch.TimedOut(options.SignInTimeout));
        }
    }

    /// <summary>Gives up a sign-in if the client does not come back in time.</summary>
    private void Forget(string state, ISignInAttempt attempt) => _ = Task.Run(async () =>
    {
        await Task.WhenAny(attempt.Completion, Task.Delay(options.SignInTimeout, options.Time, upstream.Ends)).ConfigureAwait(false);
        if (_attempts.TryRemove(new(state, attempt)))
        {
            attempt.Dispose();
        }
    });

    private static void Require(RelayFailure? failure)
    {
        if (failure is not null)
        {
            throw new RequestFailedException(failure);
        }
    }
}
