using McpSm.Core.Errors;

namespace McpSm.Core.Registration;

/// <summary>Which field of a registration request an issuer refused (RFC 7591 section 3.2.2), as far as its words tell.</summary>
internal static class RegistrationRefusal
{
    private static readonly (RegistrationField Field, string[] Words)[] Names =
    [
        (RegistrationField.RedirectUris, ["redirect", "callback", "localhost", "loopback", "127.0.0.1"]),
        (RegistrationField.GrantTypes, ["grant_type", "grant type", "granttype", "refresh_token", "refresh token", "device_code"]),
        (RegistrationField.Scope, ["scope"]),
        (RegistrationField.AuthMethod, ["auth_method", "auth method", "authentication method", "public client", "confidential", "client_secret"]),
        (RegistrationField.ApplicationType, ["application_type", "application type", "native"]),
    ];

    // If the issuer names none: what costs least comes first.
    private static readonly RegistrationField[] Guesses =
    [
        RegistrationField.Scope, RegistrationField.GrantTypes, RegistrationField.RedirectUris, RegistrationField.AuthMethod, RegistrationField.ApplicationType,
    ];

    /// <summary>The fields to change, the likeliest first; empty if no other request would help.</summary>
    /// <param name="listsGrants">The issuer's metadata lists the grants that were asked for: they are not what it refuses, unless it says so.</param>
    public static IReadOnlyList<RegistrationField> Fields(McpAuthException refusal, bool listsGrants)
    {
        if (!IsOfRequest(refusal))
        {
            return [];
        }
        var named = Names.Where(n => n.Words.Any(w => refusal.Message.Contains(w, StringComparison.OrdinalIgnoreCase))).Select(n => n.Field).ToList();
        return named.Count > 0 ? named : [.. Guesses.Where(f => f != RegistrationField.GrantTypes || !listsGrants)];
    }

    /// <summary>Whether it is what was asked for that the issuer does not like, and not who asks or when.</summary>
    private static bool IsOfRequest(McpAuthException refusal) => refusal.Reason != ErrorReason.ServerUnreachable && refusal.OAuthError switch
    {
        "invalid_redirect_uri" or "invalid_client_metadata" => true,
        "access_denied" or "invalid_token" or "invalid_client" or "unauthorized_client" or "insufficient_scope"
            or "invalid_software_statement" or "unapproved_software_statement" => false,
        null => refusal.StatusCode is 400 or 422,
        _ => refusal.StatusCode is 200 or 201 or 400 or 422,
    };
}
