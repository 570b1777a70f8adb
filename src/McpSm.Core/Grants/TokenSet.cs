using System.Globalization;
using System.Text.Json;
using Duende.IdentityModel.Client;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;

namespace McpSm.Core.Grants;

/// <summary>What a grant gave.</summary>
/// <param name="RefreshToken">What to renew with. Of Entra ID it is the token cache of its library, as base64.</param>
/// <param name="ExpiresAt">Null where the issuer gave no lifetime.</param>
public sealed record TokenSet(string AccessToken, string? RefreshToken, DateTimeOffset IssuedAt,
    DateTimeOffset? ExpiresAt, IReadOnlyList<string> Scopes)
{
    /// <summary>Who signed in, as an OpenID Connect provider signs it; null where it gave none.</summary>
    public string? IdToken { get; init; }

    private const string NothingSaid = "without saying why";

    // A lifetime that overflows a date is no lifetime that anyone waits for.
    private const long MaxLifetime = 100L * 365 * 24 * 3600;

    /// <summary>The key that the access token is bound to; null for a bearer token.</summary>
    public DPoPKey? Key { get; init; }

    /// <summary>The client, with the method by which it authenticated; null if a library of the issuer's took care of that.</summary>
    public ClientIdentity? Client { get; init; }

    /// <summary>Reads the answer to a request without a proof.</summary>
    internal static TokenSet Read(TokenResponse response, IReadOnlyList<string> requested, DateTimeOffset now, params IReadOnlyList<string?> sent) =>
        Read(response, requested, now, null, false, sent);

    /// <summary>Reads a token answer (RFC 6749 section 5.1); nothing in it is believed unseen.</summary>
    /// <param name="requested">The scopes that were asked for, which hold where the answer names none.</param>
    /// <param name="key">The key of the proof in the request; null where there was none.</param>
    /// <param name="isBound">The token must be bound to it: a bearer token is of no use.</param>
    /// <param name="sent">The secrets in the request.</param>
    /// <exception cref="McpAuthException">TokenResponseInvalid and the reasons of <see cref="Refused"/>.</exception>
    internal static TokenSet Read(TokenResponse response, IReadOnlyList<string> requested, DateTimeOffset now, DPoPKey? key, bool isBound,
        IReadOnlyList<string?> sent)
    {
        if (IsFailure(response))
        {
            throw Refused(response, sent);
        }
        if (response.Json is not { ValueKind: JsonValueKind.Object } json)
        {
            throw Unusable("it is not a JSON object");
        }
        if (Text(json, "access_token") is not { Length: > 0 } accessToken)
        {
            throw Unusable("it has no access token");
        }
        if (!BearerToken.IsValid(accessToken))
        {
            throw Unusable("its access token has characters that no header can carry");
        }
        var type = Text(json, "token_type") ?? TokenType.Bearer;
        var bound = type.Equals(TokenType.DPoP, StringComparison.OrdinalIgnoreCase);
        if (bound ? key is null : !type.Equals(TokenType.Bearer, StringComparison.OrdinalIgnoreCase))
        {
            // A bound token without our key is bound to somebody else's, or to none.
            throw Unusable($"its token type is '{UntrustedText.Sanitize(type, [accessToken, .. sent])}', not {(key is null ? "" : "DPoP or ")}Bearer",
                bound ? $"Let Mcpsm prove that it has the key: "
                    + $"{new UpdateServerStep(ServerReference.Unknown, new StepOption(StepOptionKind.DPoP, "always"))}"
                : (Remedy)"Tell whoever runs the issuer: Mcpsm can send Bearer and DPoP tokens.");
        }
        if (isBound && !bound)
        {
            throw Unusable("its token is not bound to our key (DPoP), and the server takes no other", "Tell whoever runs the issuer.");
        }
        return new TokenSet(accessToken, Text(json, "refresh_token") is { Length: > 0 } refresh ? refresh : null, now,
            Lifetime(json) is { } seconds ? now.AddSeconds(seconds) : null, GivenScopes(json, requested))
        {
            Key = bound ? key : null,
            IdToken = Text(json, "id_token") is { Length: > 0 } idToken ? idToken : null,
        };
    }

    /// <summary>
    /// The scopes that an answer names; those that were asked for where it names none. Some issuers put commas between them
    /// (GitHub, Slack), some send a list: read as one scope of that name, all that was asked for would count as denied.
    /// </summary>
    internal static IReadOnlyList<string> GivenScopes(JsonElement json, IReadOnlyList<string> requested)
    {
        var named = Discovery.Scopes.Split(Member(json, "scope") is { ValueKind: JsonValueKind.Array } list
            ? Discovery.Scopes.Join(list.EnumerateArray().Select(Text).OfType<string>()) : Text(json, "scope"));
        return named.Count == 0 ? requested : [.. named.SelectMany(scope => Parts(scope, requested)).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>What stands between commas; one may stand in a scope's name as well, and what was asked for tells.</summary>
    private static string[] Parts(string scope, IReadOnlyList<string> requested)
    {
        var parts = scope.Split(',', StringSplitOptions.RemoveEmptyEntries);
        return !requested.Contains(scope) && parts.Any(requested.Contains) ? parts : [scope];
    }

    /// <summary>The <c>error</c> of an answer; null where it is none, or names none.</summary>
    internal static string? Error(ProtocolResponse response) =>
        IsFailure(response) && response.Json is { ValueKind: JsonValueKind.Object } json ? Text(json, "error") : null;

    /// <summary>
    /// Whether an answer is no success. The library's own IsError throws where the JSON is no object. Some issuers write all
    /// members that an answer could have, and null in those that it has not.
    /// </summary>
    internal static bool IsFailure(ProtocolResponse response) =>
        response.ErrorType != ResponseErrorType.None || (int)response.HttpStatusCode is < 200 or >= 300
        || (response.Json is { ValueKind: JsonValueKind.Object } json
            && Member(json, "error") is { ValueKind: not JsonValueKind.Null } && Text(json, "error") != "");

    /// <summary>
    /// Whether an answer is a JSON object of names and texts that are text. Half a surrogate pair, escaped, is none, and
    /// the library throws at it.
    /// </summary>
    internal static bool IsReadable(ProtocolResponse response)
    {
        if (response.Json is not { ValueKind: JsonValueKind.Object } json)
        {
            return false;
        }
        try
        {
            return json.EnumerateObject().All(m => m.Name is not null && (m.Value.ValueKind != JsonValueKind.String || m.Value.GetString() is not null));
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Turns an answer that is an error (RFC 6749 section 5.2), or none at all, into ours.</summary>
    /// <param name="sent">The secrets in the request: an issuer that quotes them does not make us show them.</param>
    internal static McpAuthException Refused(ProtocolResponse response, params IReadOnlyList<string?> sent) =>
        response.Exception as McpAuthException
        ?? Refused((int)response.HttpStatusCode, response.Json, PlainText(response), sent, RetryAfterHeader.Advice(response.HttpResponse, DateTimeOffset.UtcNow));

    /// <param name="body">The answer's JSON; null where it is none.</param>
    internal static McpAuthException Refused(int status, JsonElement? body, IReadOnlyList<string?> sent) =>
        Refused(status, body, null, sent, RetryAfterHeader.Later);

    /// <param name="text">The answer's plain text; null if it is none.</param>
    /// <param name="later">When to try again, if the issuer is out of order for now.</param>
    private static McpAuthException Refused(int status, JsonElement? body, string? text, IReadOnlyList<string?> sent, string later)
    {
        var description = OAuthErrorText.Read(body, sent) ?? (UntrustedText.Sanitize(text, sent) is { Length: > 0 } line ? line : null);
        if (body is { ValueKind: JsonValueKind.Object } json && Text(json, "error") is { Length: > 0 } error)
        {
            var code = UntrustedText.Sanitize(error, sent);
            var words = description is null || description == code ? code : $"{code}: {description}";
            var reason = error switch
            {
                "invalid_client" or "unauthorized_client" => ErrorReason.ClientRejected,
                "access_denied" or "authorization_declined" => ErrorReason.AuthorizationDenied,
                "invalid_scope" => ErrorReason.InsufficientScope,
                "temporarily_unavailable" or "server_error" => ErrorReason.ServerUnreachable,
                // Of a proxy, or of a framework, in words of its own: {"error":"Service Unavailable"}.
                _ => status is 429 or >= 500 ? ErrorReason.ServerUnreachable : ErrorReason.TokenResponseInvalid,
            };
            return new McpAuthException(reason, $"The issuer refused: {UntrustedText.Sentence(words)}", reason == ErrorReason.ServerUnreachable ? later : null)
            {
                OAuthError = code,
                StatusCode = status,
                OutcomeUnknown = status >= 500,
            };
        }
        return status switch
        {
            >= 300 and < 400 => new McpAuthException(ErrorReason.ProtocolViolation,
                "The issuer's endpoint redirects; a request that carries a secret follows no redirect.",
                "Tell whoever runs the issuer, and try again later.")
            { StatusCode = status },
            429 or >= 500 => new McpAuthException(ErrorReason.ServerUnreachable,
                Answered(status, description), later)
            { StatusCode = status, OutcomeUnknown = status >= 500 },
            >= 400 => new McpAuthException(ErrorReason.TokenResponseInvalid,
                Answered(status, description ?? NothingSaid))
            { StatusCode = status },
            _ when description is not null => new McpAuthException(ErrorReason.TokenResponseInvalid, $"The issuer refused: {UntrustedText.Sentence(description)}")
            { StatusCode = status },
            _ => Unusable(body is null ? "it is not JSON" : "it is an error in no words"),
        };
    }

    private static string Answered(int status, string? description) => description switch
    {
        null => $"The issuer answered {ChallengeProbe.DescribeStatus(status)}.",
        NothingSaid => $"The issuer answered {ChallengeProbe.DescribeStatus(status)} {NothingSaid}.",
        _ => $"The issuer answered {ChallengeProbe.DescribeStatus(status)}: {UntrustedText.Sentence(description)}",
    };

    /// <summary>The first line of an answer in plain text, as gateways send it; null if it is something else. Pages are for browsers.</summary>
    private static string? PlainText(ProtocolResponse response) =>
        response.Json is null && response.HttpResponse?.Content?.Headers.ContentType?.MediaType is "text/plain"
            ? response.Raw?.Split('\n').Select(l => l.Trim()).FirstOrDefault(l => l.Length > 0 && l[0] is not ('<' or '{' or '[')) : null;

    /// <summary>An answer of status 200 that cannot be used: the issuer believes that it gave tokens.</summary>
    internal static McpAuthException Unusable(string why, Remedy? remedy = null) =>
        new(ErrorReason.TokenResponseInvalid, $"The issuer's token answer cannot be used: {why}.", remedy) { OutcomeUnknown = true };

    private static long? Lifetime(JsonElement json)
    {
        if (Member(json, "expires_in") is not { } value)
        {
            return null;
        }
        // Some issuers quote the number, some send a fraction.
        double? seconds = value.ValueKind switch
        {
            JsonValueKind.Number when value.TryGetDouble(out var number) => number,
            JsonValueKind.String when double.TryParse(Text(json, "expires_in"), NumberStyles.Float,
                CultureInfo.InvariantCulture, out var quoted) => quoted,
            _ => null,
        };
        // Some issuers mean by 0 that it does not expire. It would count as dead before it is used, so it says nothing: whether the
        // server takes the token, the request that proves it shows.
        return seconds is { } s && double.IsFinite(s) && s > 0 ? (long)Math.Clamp(s, 1, MaxLifetime) : null;
    }

    internal static string? Text(JsonElement json, string name) => Member(json, name) is { } value ? Text(value) : null;

    internal static string? Text(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, escaped: no text.
            return null;
        }
    }

    /// <summary>A member; null where there is none, or where other names are no text and make the search fail.</summary>
    private static JsonElement? Member(JsonElement json, string name)
    {
        try
        {
            return json.TryGetProperty(name, out var value) ? value : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Without the tokens: records print all their members.</summary>
    public override string ToString() => $"token set, expires {ExpiresAt:u}";
}
