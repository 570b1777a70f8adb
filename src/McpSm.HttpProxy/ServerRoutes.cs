using McpSm.Core.Errors;
using McpSm.Relay;
using McpSm.Relay.Messages;
using Microsoft.AspNetCore.Http;

namespace McpSm.HttpProxy;

/// <summary>The servers that were called, by id. A server whose settings changed gets a new route; what runs on the old one ends there.</summary>
internal sealed class ServerRoutes(HttpProxyOptions options) : IAsyncDisposable
{
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, ServerRoute> _routes = new(StringComparer.Ordinal);
    private readonly List<Task> _retiring = [];

    /// <summary>Passes a request to a server.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt, ConfigurationUnavailable: the servers cannot be read.</exception>
    public async Task AnswerAsync(string id, HttpContext context, CancellationToken cancellationToken)
    {
        if (Enter(id) is not { } route)
        {
            await ErrorAnswer.WriteAsync(context, new Refusal(StatusCodes.Status404NotFound, new RelayFailure(StatusCodes.Status404NotFound,
                ErrorId.Of(ErrorReason.ServerNotFound), "The path does not name a server.", "mcpsm list"))).ConfigureAwait(false);
            return;
        }
        try
        {
            await route.AnswerAsync(context, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            route.Leave();
        }
    }

    /// <summary>Ends all sessions, and waits for renewals that have begun.</summary>
    public async ValueTask DisposeAsync()
    {
        List<Task> ending;
        lock (_gate)
        {
            ending = [.. _retiring, .. _routes.Values.Select(route => route.RetireAsync(EndLimit))];
        }
        await Task.WhenAll(ending).ConfigureAwait(false);
    }

    private ServerRoute? Enter(string id)
    {
        var server = options.FindServer(id);
        lock (_gate)
        {
            _routes.TryGetValue(id, out var route);
            if (route is not null && route.Server != server)
            {
                _routes.Remove(id);
                _retiring.RemoveAll(task => task.IsCompleted);
                _retiring.Add(route.RetireAsync(Timeout.InfiniteTimeSpan));
                route = null;
            }
            if (route is null && server is not null)
            {
                _routes[id] = route = new ServerRoute(server, options);
            }
            route?.Enter();
            return route;
        }
    }
}
