using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;
using McpSm.Core.Servers;

namespace McpSm.Core.Entra;

/// <summary>
/// What is asked of Entra ID. It takes no <c>resource</c>: which API a token is for stands in the scopes alone, each an
/// API's identifier, a slash and a name.
/// </summary>
internal static class EntraScopes
{
    private const string All = "/.default";

    /// <summary>The scopes for a person. What asks for a refresh token and who it is the library adds by itself.</summary>
    /// <param name="scopes">Those of the server, or of the user where the server's settings have some.</param>
    /// <exception cref="McpAuthException">InsufficientScope: there are none; ResourceMismatch: they are not the server's own.</exception>
    public static IReadOnlyList<string> ForPerson(McpServer server, IReadOnlyList<string> scopes)
    {
        IReadOnlyList<string> apis = [.. scopes.Where(s => !IsOfPerson(s))];
        if (apis.Count == 0)
        {
            throw new McpAuthException(ErrorReason.InsufficientScope,
                $"Neither '{server.Name}' nor you say which scope to ask Microsoft Entra ID for, so that a token would be for no API.",
                HowToGive(server, OwnApi));
        }
        // A token goes to the server: it must not be able to ask for one to somebody else's API, such as your mail (rule 22 of docs/rules.md).
        return server.Scopes.Count > 0 || apis.FirstOrDefault(s => !IsOwn(s, server)) is not { } foreign ? apis
            : throw new McpAuthException(ErrorReason.ResourceMismatch,
                $"'{server.Name}' asks for '{UntrustedText.Sanitize(foreign)}', which is not evidently a scope of its own API: its token may be good for another.",
                $"Only if that API is meant: {HowToGive(server, new StepOption(StepOptionKind.Scope, foreign))}");
    }

    /// <summary>The one scope that a client signing in by itself can ask for: all that an API has granted it.</summary>
    /// <exception cref="McpAuthException">As above; InsufficientScope, too, where they are of several APIs.</exception>
    public static string ForClient(McpServer server, IReadOnlyList<string> scopes)
    {
        var apis = ForPerson(server, scopes).Select(ApiOf).Distinct().ToList();
        return apis is [{ } api] ? api + All
            : throw new McpAuthException(ErrorReason.InsufficientScope,
                "A client that signs in to Microsoft Entra ID by itself asks for one API, and the scopes "
                + (apis.Contains(null) ? "do not name one." : "name several."), HowToGive(server, OwnApi));
    }

    /// <summary>Whether a scope is of no API: the library asks for these by itself, and for no others.</summary>
    public static bool IsOfPerson(string scope) => scope is "openid" or "profile" or "email" or "offline_access";

    /// <summary>The API that a scope is of; null where it names none, which Entra reads as Microsoft Graph.</summary>
    internal static string? ApiOf(string scope)
    {
        var start = scope.IndexOf("://", StringComparison.Ordinal) is var scheme and >= 0 ? scheme + "://".Length : 0;
        var end = scope.LastIndexOf('/');
        return end > start ? scope[..end] : null;
    }

    /// <summary>An application's own identifier, or a URL of the very host that the server is.</summary>
    private static bool IsOwn(string scope, McpServer server) => ApiOf(scope) is { } api
        && (api.StartsWith("api://", StringComparison.Ordinal)
            || (UrlPolicy.TryParse(api, out var uri) && uri.Scheme == "https" && uri.IdnHost == server.Uri.IdnHost));

    private static UpdateServerStep HowToGive(McpServer server, StepOption scope) => new(server, scope);

    private static StepOption OwnApi => new(StepOptionKind.Scope) { Template = "api://<application id>/.default" };
}
