using System.Collections.Concurrent;
using System.Security.Cryptography;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Relay;
using McpSm.Relay.Messages;
using Microsoft.AspNetCore.Http;

namespace McpSm.HttpProxy;

/// <summary>
/// The sessions of callers with a server of the HTTP+SSE transport (MCP 2024-11-05). The caller speaks Streamable HTTP; a relay of its own speaks to
/// the server.
/// </summary>
internal sealed class RelaySessions(McpServer server, HttpProxyOptions options, Lazy<HttpMessageInvoker> http) : IAsyncDisposable
{
    public const string Header = "Mcp-Session-Id";

    private const string Prefix = "mcpsm-";
    private const int MaxSessions = 100;
    private static readonly TimeSpan IdleLimit = TimeSpan.FromMinutes(30);

    private readonly ConcurrentDictionary<string, RelaySession> _sessions = new(StringComparer.Ordinal);

    /// <summary>Whether a session belongs to the proxy, and not to the server.</summary>
    public static bool IsId(string session) => session.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Opens a session, and answers <c>initialize</c>.</summary>
    /// <returns>The error that the caller must get; null if the session was opened and the request is answered.</returns>
    /// <exception cref="RefusedException">Too many sessions are open.</exception>
    public async Task<Message?> TryOpenAsync(HttpContext context, Message initialize, CancellationToken cancellationToken)
    {
        await RemoveIdleAsync().ConfigureAwait(false);
        var session = new RelaySession(Prefix + RandomNumberGenerator.GetHexString(32, lowercase: true), server, options, http.Value);
        var opened = false;
        try
        {
            var answer = await session.AskAsync(initialize, cancellationToken).ConfigureAwait(false);
            if (answer.IsError)
            {
                return answer;
            }
            _sessions[session.Id] = session;
            opened = true;
            context.Response.Headers[Header] = session.Id;
            await ResponseForwarder.WriteAsync(context, StatusCodes.Status200OK, answer.Bytes, cancellationToken).ConfigureAwait(false);
            return null;
        }
        finally
        {
            if (!opened)
            {
                await session.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>Answers a request of a session.</summary>
    /// <exception cref="RefusedException">The session does not exist, or the request does not fit.</exception>
    public async Task AnswerAsync(HttpContext context, string id, byte[]? body, CancellationToken cancellationToken)
    {
        if (id.Length == 0)
        {
            // Also a message of a later revision, which has no sessions: a client of both then begins with initialize.
            throw new RefusedException(body is null ? StatusCodes.Status405MethodNotAllowed : StatusCodes.Status400BadRequest, ErrorReason.InvalidValue,
                $"'{server.Name}' needs a session. Send 'initialize' first.");
        }
        if (!_sessions.TryGetValue(id, out var session) || session.HasEnded)
        {
            throw new RefusedException(StatusCodes.Status404NotFound, ErrorReason.InvalidValue,
                "The session does not exist or has ended. Send 'initialize' for a new one.");
        }
        if (body is not null)
        {
            await session.AnswerPostAsync(context, body, cancellationToken).ConfigureAwait(false);
        }
        else if (HttpMethods.IsGet(context.Request.Method))
        {
            await session.ListenAsync(context, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await RemoveAsync(id).ConfigureAwait(false);
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
    }

    public async ValueTask DisposeAsync() => await Task.WhenAll(_sessions.Keys.Select(RemoveAsync)).ConfigureAwait(false);

    /// <summary>Ends sessions that no caller has used for long. Not every client sends DELETE.</summary>
    private async Task RemoveIdleAsync()
    {
        var idle = _sessions.Values.Where(session => session.HasEnded || session.IdleTime > IdleLimit).ToList();
        if (_sessions.Count - idle.Count >= MaxSessions)
        {
            idle.Add(_sessions.Values.Except(idle).Where(session => session.IdleTime > TimeSpan.Zero).MaxBy(session => session.IdleTime)
                ?? throw new RefusedException(StatusCodes.Status503ServiceUnavailable, ErrorReason.InvalidValue,
                    $"'{server.Name}' has too many sessions. End some clients."));
        }
        await Task.WhenAll(idle.Select(session => RemoveAsync(session.Id))).ConfigureAwait(false);
    }

    private async Task RemoveAsync(string id)
    {
        if (_sessions.TryRemove(id, out var session))
        {
            await session.DisposeAsync().ConfigureAwait(false);
        }
    }
}
