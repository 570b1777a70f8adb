using System.Collections.ObjectModel;
using System.Net;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;

namespace McpSm.Core.Discovery;

/// <summary>
/// Parameters that the user adds to the authorization URL of a server, such as <c>access_type=offline</c>, without which Google
/// gives no refresh token. Names are compared with case, as OAuth compares them. None of them is a secret.
/// </summary>
public sealed class AuthorizeParameters : ReadOnlyDictionary<string, string>
{
    private const int MaxNameLength = 64;
    private const int MaxValueLength = 1024;
    private const int MaxTotalLength = 4096;

    // What a sign-in sets itself, and what would move a request out of our sight (RFC 9101, OpenID Connect's response_mode).
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "resource",
        "request", "request_uri", "response_mode", "dpop_jkt",
        // Secrets have no place in a URL.
        "client_secret", "client_assertion", "client_assertion_type", "code_verifier",
    };

    private AuthorizeParameters(IDictionary<string, string> parameters) : base(parameters)
    {
    }

    public static AuthorizeParameters None { get; } = new(new Dictionary<string, string>());

    public static AuthorizeParameters Create(IReadOnlyDictionary<string, string> parameters) => parameters as AuthorizeParameters
        ?? (parameters.Count == 0 ? None : new(new Dictionary<string, string>(parameters, StringComparer.Ordinal)));

    /// <summary>The parameters with a change: an empty value removes one, a change without any removes all.</summary>
    public static AuthorizeParameters Changed(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> change)
    {
        var names = change.Count == 0 ? [] : before.Where(p => !change.ContainsKey(p.Key)).Concat(change.Where(p => p.Value.Length > 0));
        return Create(names.ToDictionary(p => p.Key, p => p.Value, StringComparer.Ordinal));
    }

    /// <summary>Refuses what a sign-in must not take from the user, or from whoever wrote <c>config.json</c>.</summary>
    /// <param name="remedy">The next command for a parameter of that name; null if there is none.</param>
    /// <exception cref="McpAuthException">InvalidValue.</exception>
    public static void Check(IReadOnlyDictionary<string, string> parameters, Func<string, Remedy>? remedy = null)
    {
        foreach (var (name, value) in parameters)
        {
            if (InvalidReason(name, value) is { } why)
            {
                throw new McpAuthException(ErrorReason.InvalidValue, why, remedy?.Invoke(name) ?? Instead(name));
            }
        }
        if (parameters.Sum(p => p.Key.Length + p.Value.Length) > MaxTotalLength)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"The authorization parameters have more than {MaxTotalLength:N0} characters in all.",
                remedy?.Invoke(parameters.MaxBy(p => p.Value.Length).Key));
        }
    }

    /// <summary>As the query of a URL, which <see cref="Parse"/> reads: tables of text carry it.</summary>
    public override string ToString() => string.Join('&', this.Select(p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value)}"));

    public static AuthorizeParameters Parse(string query)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            parameters[WebUtility.UrlDecode(parts[0])] = WebUtility.UrlDecode(parts.ElementAtOrDefault(1) ?? "");
        }
        return Create(parameters);
    }

    private static string? InvalidReason(string name, string value) =>
        name.Length is 0 or > MaxNameLength || !name.All(c => char.IsAsciiLetterOrDigit(c) || "-._~:".Contains(c))
            ? "The name of an authorization parameter is letters, digits and -._~: alone, at most 64 of them."
        // An empty value only removes it, whatever it is.
        : value.Length == 0 ? null
        : Reserved.Contains(name) ? $"'{UntrustedText.Sanitize(name)}' cannot be an authorization parameter of your own: a sign-in sets or leaves out such a parameter itself."
        : value.Length > MaxValueLength || value.Any(char.IsControl) || !IsText(value)
            ? $"The value of the authorization parameter '{name}' must be text without control characters, at most {MaxValueLength:N0} of them."
        : null;

    /// <summary>Whether it has no half of a surrogate pair, which no URL can carry.</summary>
    private static bool IsText(string value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            if (char.IsSurrogate(value[i]) && !(i + 1 < value.Length && char.IsSurrogatePair(value[i], value[++i])))
            {
                return false;
            }
        }
        return true;
    }

    private static Remedy? Instead(string name) => name.ToLowerInvariant() switch
    {
        "scope" => (Remedy)$"Set the scopes to ask for with: {new StepOption(StepOptionKind.Scope)}",
        "client_id" => $"Set the client with: {new StepOption(StepOptionKind.ClientId)}",
        _ => null,
    };
}
