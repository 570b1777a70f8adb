using System.Collections.ObjectModel;
using System.Net;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;

namespace McpSm.Core.Discovery;

/// <summary>
/// Parameters that the user adds to the authorization URL of a server, such as <c>access_type=offline</c>, which Google requires for a refresh token.
/// Names are case-sensitive, as in OAuth. The values are not secrets.
/// </summary>
internal sealed class AuthorizeParameters : ReadOnlyDictionary<string, string>
{
    private const int MaxNameLength = 64;
    private const int MaxValueLength = 1024;
    private const int MaxTotalLength = 4096;

    // Parameters that a sign-in sets, and parameters that would move the request to another document (RFC 9101) or change the response
    // (response_mode).
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "resource",
        "request", "request_uri", "response_mode", "dpop_jkt",
        // Secrets do not belong in a URL.
        "client_secret", "client_assertion", "client_assertion_type", "code_verifier",
    };

    private AuthorizeParameters(IDictionary<string, string> parameters) : base(parameters)
    {
    }

    public static AuthorizeParameters None { get; } = new(new Dictionary<string, string>());

    public static AuthorizeParameters Create(IReadOnlyDictionary<string, string> parameters) => parameters as AuthorizeParameters
        ?? (parameters.Count == 0 ? None : new(new Dictionary<string, string>(parameters, StringComparer.Ordinal)));

    /// <summary>Returns the parameters after a change. An empty value removes a parameter; an empty change removes all.</summary>
    public static AuthorizeParameters Changed(IReadOnlyDictionary<string, string> current, IReadOnlyDictionary<string, string> change)
    {
        var names = change.Count == 0 ? [] : current.Where(p => !change.ContainsKey(p.Key)).Concat(change.Where(p => p.Value.Length > 0));
        return Create(names.ToDictionary(p => p.Key, p => p.Value, StringComparer.Ordinal));
    }

    /// <summary>Rejects parameters that the user, or a program that writes <c>config.json</c>, must not set.</summary>
    /// <param name="parameters">The parameters by name.</param>
    /// <param name="remedy">Returns the remedy for the parameter with this name; null for the default remedy.</param>
    /// <exception cref="McpAuthException">InvalidValue.</exception>
    public static void Check(IReadOnlyDictionary<string, string> parameters, Func<string, Remedy>? remedy = null)
    {
        foreach (var (name, value) in parameters)
        {
            if (InvalidReason(name, value) is { } reason)
            {
                throw new McpAuthException(ErrorReason.InvalidValue, reason, remedy?.Invoke(name) ?? AlternativeTo(name));
            }
        }
        if (parameters.Sum(p => p.Key.Length + p.Value.Length) > MaxTotalLength)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"The authorization parameters have more than {MaxTotalLength:N0} characters in total.",
                remedy?.Invoke(parameters.MaxBy(p => p.Value.Length).Key));
        }
    }

    /// <summary>Returns the parameters as the query of a URL, for text output. <see cref="Parse"/> reads it.</summary>
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
            ? "The name of an authorization parameter must have 1 to 64 characters from letters, digits and -._~:."
        // An empty value removes the parameter, so it needs no check.
        : value.Length == 0 ? null
        : Reserved.Contains(name) ? $"The authorization parameter '{UntrustedText.Sanitize(name)}' is reserved: Mcpsm controls it during a sign-in."
        : value.Length > MaxValueLength || value.Any(char.IsControl) || !IsText(value)
            ? $"The value of the authorization parameter '{name}' must have at most {MaxValueLength:N0} characters and no control characters."
        : null;

    /// <summary>Whether the value has no unpaired surrogates, which a URL cannot represent.</summary>
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

    private static Remedy? AlternativeTo(string name) => name.ToLowerInvariant() switch
    {
        "scope" => (Remedy)$"Set the scopes with: {new StepOption(StepOptionKind.Scope)}",
        "client_id" => $"Set the client with: {new StepOption(StepOptionKind.ClientId)}",
        _ => null,
    };
}
