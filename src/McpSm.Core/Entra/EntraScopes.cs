using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;
using McpSm.Core.Servers;

namespace McpSm.Core.Entra;

/// <summary>
/// Selects the scopes for Microsoft Entra ID, which does not support <c>resource</c>. Only the scopes say which API a token is for: each is
/// the identifier of an API, a slash and a name.
/// </summary>
internal static class EntraScopes
{
    private const string All = "/.default";

    /// <summary>Returns the scopes for a person. MSAL adds those for a refresh token and for the identity of the person.</summary>
    /// <remarks><paramref name="scopes"/> are the scopes in the settings of the server, else those that the server asks for.</remarks>
    /// <exception cref="McpAuthException">InsufficientScope: there are none. ResourceMismatch: they are not of the server's own API.</exception>
    public static IReadOnlyList<string> ForPerson(McpServer server, IReadOnlyList<string> scopes)
    {
        IReadOnlyList<string> apis = [.. scopes.Where(s => !IsOfPerson(s))];
        if (apis.Count == 0)
        {
            throw new McpAuthException(ErrorReason.InsufficientScope,
                $"No scope is configured for '{server.Name}', and Microsoft Entra ID needs one.",
                HowToGive(server, OwnApi));
        }
        // The server gets the token, so it must not choose the API of another service, such as your mail (rule 22 of docs/rules.md).
        return server.Scopes.Count > 0 || apis.FirstOrDefault(s => !IsOwn(s, server)) is not { } foreign ? apis
            : throw new McpAuthException(ErrorReason.ResourceMismatch,
                $"'{server.Name}' asks for '{UntrustedText.Sanitize(foreign)}', which may be a scope of another API. The server could use the token there.",
                $"Only if you trust the server with that API: {HowToGive(server, new StepOption(StepOptionKind.Scope, foreign))}");
    }

    /// <summary>Returns the only scope that a client can request without a person: everything that an API has granted to it.</summary>
    /// <exception cref="McpAuthException">The reasons of <see cref="ForPerson"/>; InsufficientScope: the scopes name several APIs.</exception>
    public static string ForClient(McpServer server, IReadOnlyList<string> scopes)
    {
        var apis = ForPerson(server, scopes).Select(ApiOf).Distinct().ToList();
        return apis is [{ } api] ? api + All
            : throw new McpAuthException(ErrorReason.InsufficientScope,
                "Without a person, a client can request the scopes of one API from Microsoft Entra ID, and the configured scopes "
                + (apis.Contains(null) ? "do not name one." : "name several."), HowToGive(server, OwnApi));
    }

    /// <summary>Returns whether the scope belongs to no API. MSAL requests these scopes itself, and accepts no others without an API.</summary>
    public static bool IsOfPerson(string scope) => scope is "openid" or "profile" or "email" or "offline_access";

    /// <summary>Returns the API of a scope; null if the scope names none. Entra then uses Microsoft Graph.</summary>
    internal static string? ApiOf(string scope)
    {
        var start = scope.IndexOf("://", StringComparison.Ordinal) is var scheme and >= 0 ? scheme + "://".Length : 0;
        var end = scope.LastIndexOf('/');
        return end > start ? scope[..end] : null;
    }

    /// <summary>Returns whether the API is the identifier of an application, or a URL with the host of the server.</summary>
    private static bool IsOwn(string scope, McpServer server) => ApiOf(scope) is { } api
        && (api.StartsWith("api://", StringComparison.Ordinal)
            || (UrlPolicy.TryParse(api, out var uri) && uri.Scheme == "https" && uri.IdnHost == server.Uri.IdnHost));

    private static UpdateServerStep HowToGive(McpServer server, StepOption scope) => new(server, scope);

    private static StepOption OwnApi => new(StepOptionKind.Scope) { Template = "api://<application id>/.default" };
}
