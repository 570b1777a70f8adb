using System.Globalization;
using System.Text.Json;
using Duende.IdentityModel.Client;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;
using McpSm.Core.Http;

namespace McpSm.Core.Grants;

/// <summary>The result of a grant.</summary>
/// <param name="AccessToken">The access token.</param>
/// <param name="RefreshToken">The refresh token, if there is one. For Entra ID, it is the token cache of MSAL as base64.</param>
/// <param name="IssuedAt">When the response arrived.</param>
/// <param name="ExpiresAt">When the access token expires; null if the issuer gave no lifetime.</param>
/// <param name="Scopes">The granted scopes.</param>
internal sealed record TokenSet(string AccessToken, string? RefreshToken, DateTimeOffset IssuedAt,
    DateTimeOffset? ExpiresAt, IReadOnlyList<string> Scopes)
{
    /// <summary>The ID token of an OpenID Connect provider; null if it returned none.</summary>
    public string? IdToken { get; init; }

    private const string NoReason = "without a reason";

    // A longer lifetime could overflow a date.
    private const long MaxLifetime = 100L * 365 * 24 * 3600;

    /// <summary>The key that the access token is bound to; null for a bearer token.</summary>
    public DPoPKey? Key { get; init; }

    /// <summary>The client with the authentication method that worked; null if a library of the issuer authenticates the client.</summary>
    public ClientIdentity? Client { get; init; }

    /// <summary>Reads the response to a request without a proof.</summary>
    internal static TokenSet Read(TokenResponse response, IReadOnlyList<string> requested, DateTimeOffset now, params IReadOnlyList<string?> sent) =>
        Read(response, requested, now, null, false, sent);

    /// <summary>Reads and validates a token response (RFC 6749 section 5.1).</summary>
    /// <remarks>
    /// The <paramref name="requested"/> scopes apply if the response names none. <paramref name="key"/> is the key of the proof in the request;
    /// null if it had none. If <paramref name="isBound"/> is true, an unbound token is an error. <paramref name="sent"/> are the secrets of the
    /// request.
    /// </remarks>
    /// <exception cref="McpAuthException">TokenResponseInvalid and the reasons of
    /// <see cref="Refused(int, System.Text.Json.JsonElement?, IReadOnlyList{string?})"/>.</exception>
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
            throw Unusable("its access token has characters that a header cannot contain");
        }
        var type = Text(json, "token_type") ?? TokenType.Bearer;
        var bound = type.Equals(TokenType.DPoP, StringComparison.OrdinalIgnoreCase);
        if (bound ? key is null : !type.Equals(TokenType.Bearer, StringComparison.OrdinalIgnoreCase))
        {
            // The token is bound to a key that we do not have.
            throw Unusable($"its token type is '{UntrustedText.Sanitize(type, [accessToken, .. sent])}', not {(key is null ? "" : "DPoP or ")}Bearer",
                    bound ? $"Let Mcpsm prove that it has the key: "
                        + $"{new UpdateServerStep(ServerReference.Unknown, new StepOption(StepOptionKind.DPoP, "always"))}"
                    : (Remedy)"Report this to the operator of the issuer. Mcpsm supports Bearer and DPoP tokens.");
        }
        if (isBound && !bound)
        {
            throw Unusable("its token is not bound to our key (DPoP), and the server accepts no other", "Report this to the operator of the issuer.");
        }
        return new TokenSet(accessToken, Text(json, "refresh_token") is { Length: > 0 } refresh ? refresh : null, now,
            Lifetime(json) is { } seconds ? now.AddSeconds(seconds) : null, GivenScopes(json, requested))
        {
            Key = bound ? key : null,
            IdToken = Text(json, "id_token") is { Length: > 0 } idToken ? idToken : null,
        };
    }

    /// <summary>
    /// Returns the scopes that a response names, else the requested scopes. Some issuers separate the scopes with commas (GitHub, Slack), and
    /// some send a list. If all of them were read as one scope, every requested scope would count as denied.
    /// </summary>
    internal static IReadOnlyList<string> GivenScopes(JsonElement json, IReadOnlyList<string> requested)
    {
        var named = Discovery.Scopes.Split(Member(json, "scope") is { ValueKind: JsonValueKind.Array } list
            ? Discovery.Scopes.Join(list.EnumerateArray().Select(s => s.TextOrNull()).OfType<string>()) : Text(json, "scope"));
        return named.Count == 0 ? requested : [.. named.SelectMany(scope => Parts(scope, requested)).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Splits at commas. The name of a scope may contain a comma too; the requested scopes show that.</summary>
    private static string[] Parts(string scope, IReadOnlyList<string> requested)
    {
        var parts = scope.Split(',', StringSplitOptions.RemoveEmptyEntries);
        return !requested.Contains(scope) && parts.Any(requested.Contains) ? parts : [scope];
    }

    /// <summary>Returns the <c>error</c> of a response; null if the response is not an error, or has no code.</summary>
    internal static string? Error(ProtocolResponse response) =>
        IsFailure(response) && response.Json is { ValueKind: JsonValueKind.Object } json ? Text(json, "error") : null;

    /// <summary>
    /// Returns whether the response is a failure. The library's own IsError throws if the JSON is not an object. Some issuers write all
    /// possible members, and null for those that do not apply.
    /// </summary>
    internal static bool IsFailure(ProtocolResponse response) =>
        response.ErrorType != ResponseErrorType.None || (int)response.HttpStatusCode is < 200 or >= 300
        || (response.Json is { ValueKind: JsonValueKind.Object } json
            && Member(json, "error") is { ValueKind: not JsonValueKind.Null } && Text(json, "error") != "");

    /// <summary>
    /// Returns whether the response is a JSON object whose names and strings are valid. The library throws if one of them contains half a
    /// surrogate pair.
    /// </summary>
    internal static bool IsReadable(ProtocolResponse response)
    {
        if (response.Json is not { ValueKind: JsonValueKind.Object } json)
        {
            return false;
        }
        try
        {
            return json.EnumerateObject().All(m => m.Name is not null && (m.Value.ValueKind != JsonValueKind.String || m.Value.TextOrNull() is not null));
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Creates the exception for an error response (RFC 6749 section 5.2), or for a missing response.</summary>
    /// <remarks><paramref name="sent"/> are the secrets of the request. They are removed from the message, because an issuer may quote them.</remarks>
    internal static McpAuthException Refused(ProtocolResponse response, params IReadOnlyList<string?> sent) =>
        response.Exception as McpAuthException
        ?? Refused((int)response.HttpStatusCode, response.Json, PlainText(response), sent, RetryAfterHeader.Advice(response.HttpResponse));

    /// <summary>Creates the exception for an error response. <paramref name="body"/> is its JSON; null if it is not JSON.</summary>
    internal static McpAuthException Refused(int status, JsonElement? body, IReadOnlyList<string?> sent) =>
        Refused(status, body, null, sent, RetryAfterHeader.DefaultAdvice);

    /// <summary>Creates the exception for an error response.</summary>
    /// <remarks>
    /// <paramref name="text"/> is the plain text of the response, if it has any. <paramref name="later"/> is the advice if the issuer is
    /// temporarily unavailable.
    /// </remarks>
    private static McpAuthException Refused(int status, JsonElement? body, string? text, IReadOnlyList<string?> sent, string later)
    {
        var description = OAuthErrorText.Read(body, sent) ?? (UntrustedText.Sanitize(text, sent) is { Length: > 0 } line ? line : null);
        if (body is { ValueKind: JsonValueKind.Object } json && Text(json, "error") is { Length: > 0 } error)
        {
            var code = UntrustedText.Sanitize(error, sent);
            var message = description is null || description == code ? code : $"{code}: {description}";
            var reason = error switch
            {
                "invalid_client" or "unauthorized_client" => ErrorReason.ClientRejected,
                "access_denied" or "authorization_declined" => ErrorReason.AuthorizationDenied,
                "invalid_scope" => ErrorReason.InsufficientScope,
                "temporarily_unavailable" or "server_error" => ErrorReason.ServerUnreachable,
                // From a proxy or a framework, for example: {"error":"Service Unavailable"}.
                _ => status is 429 or >= 500 ? ErrorReason.ServerUnreachable : ErrorReason.TokenResponseInvalid,
            };
            return new McpAuthException(reason, $"The issuer refused the request: {UntrustedText.Sentence(message)}",
                reason == ErrorReason.ServerUnreachable ? later : null)
            {
                OAuthError = code,
                StatusCode = status,
                OutcomeUnknown = status >= 500,
            };
        }
        return status switch
        {
            >= 300 and < 400 => new McpAuthException(ErrorReason.ProtocolViolation,
                "The issuer's endpoint redirects. Mcpsm follows no redirect with a request that contains a secret.",
                "Report this to the operator of the issuer, and try again later.")
            { StatusCode = status },
            429 or >= 500 => new McpAuthException(ErrorReason.ServerUnreachable,
                Answered(status, description), later)
            { StatusCode = status, OutcomeUnknown = status >= 500 },
            >= 400 => new McpAuthException(ErrorReason.TokenResponseInvalid,
                Answered(status, description ?? NoReason))
            { StatusCode = status },
            _ when description is not null => new McpAuthException(ErrorReason.TokenResponseInvalid,
                $"The issuer refused the request: {UntrustedText.Sentence(description)}")
            { StatusCode = status },
            _ => Unusable(body is null ? "it is not JSON" : "it is an error without a message"),
        };
    }

    private static string Answered(int status, string? description) => description switch
    {
        null => $"The issuer answered {ChallengeProbe.DescribeStatus(status)}.",
        NoReason => $"The issuer answered {ChallengeProbe.DescribeStatus(status)} {NoReason}.",
        _ => $"The issuer answered {ChallengeProbe.DescribeStatus(status)}: {UntrustedText.Sentence(description)}",
    };

    /// <summary>Returns the first line of a plain text response, as gateways send it; null for any other response. HTML is for browsers.</summary>
    private static string? PlainText(ProtocolResponse response) =>
        response.Json is null && response.HttpResponse?.Content?.Headers.ContentType?.MediaType is "text/plain"
            ? response.Raw?.Split('\n').Select(l => l.Trim()).FirstOrDefault(l => l.Length > 0 && l[0] is not ('<' or '{' or '[')) : null;

    /// <summary>Creates the error for a response with status 200 that cannot be used. The issuer may have counted the refresh token as spent.</summary>
    internal static McpAuthException Unusable(string reason, Remedy? remedy = null) =>
        new(ErrorReason.TokenResponseInvalid, $"The issuer's token response cannot be used: {reason}.", remedy) { OutcomeUnknown = true };

    private static long? Lifetime(JsonElement json)
    {
        if (Member(json, "expires_in") is not { } value)
        {
            return null;
        }
        // Some issuers quote the number, and some send a fraction.
        double? seconds = value.ValueKind switch
        {
            JsonValueKind.Number when value.TryGetDouble(out var number) => number,
            JsonValueKind.String when double.TryParse(Text(json, "expires_in"), NumberStyles.Float,
                CultureInfo.InvariantCulture, out var quoted) => quoted,
            _ => null,
        };
        // Some issuers send 0 for a token that does not expire. Ignore it, because the token would count as expired at once. The first
        // request shows whether the server accepts the token.
        return seconds is { } s && double.IsFinite(s) && s > 0 ? (long)Math.Clamp(s, 1, MaxLifetime) : null;
    }

    internal static string? Text(JsonElement json, string name) => Member(json, name)?.TextOrNull();

    /// <summary>Returns the member; null if it is absent, or if an invalid name in the object makes the lookup throw.</summary>
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

    /// <summary>Hides the tokens, because a record prints all its members.</summary>
    public override string ToString() => $"token set, expires {ExpiresAt:u}";
}
