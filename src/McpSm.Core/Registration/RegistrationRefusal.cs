using McpSm.Core.Errors;

namespace McpSm.Core.Registration;

/// <summary>Finds the field that an issuer refused in a registration request (RFC 7591 section 3.2.2), by the words of its error.</summary>
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

    // If the error names no field: the change that costs least comes first.
    private static readonly RegistrationField[] Guesses =
    [
        RegistrationField.Scope, RegistrationField.GrantTypes, RegistrationField.RedirectUris, RegistrationField.AuthMethod, RegistrationField.ApplicationType,
    ];

    /// <summary>Returns the fields to change, the likeliest first; empty if no other request would succeed.</summary>
    /// <param name="refusal">The error of the issuer.</param>
    /// <param name="listsGrants">Whether the issuer's metadata lists the requested grants: then they are not the reason, unless the error says so.</param>
    public static IReadOnlyList<RegistrationField> Fields(McpAuthException refusal, bool listsGrants)
    {
        if (!IsOfRequest(refusal))
        {
            return [];
        }
        var named = Names.Where(n => n.Words.Any(w => refusal.Message.Contains(w, StringComparison.OrdinalIgnoreCase))).Select(n => n.Field).ToList();
        return named.Count > 0 ? named : [.. Guesses.Where(f => f != RegistrationField.GrantTypes || !listsGrants)];
    }

    /// <summary>Returns whether the issuer refused the content of the request, and not the sender or the time.</summary>
    private static bool IsOfRequest(McpAuthException refusal) => refusal.Reason != ErrorReason.ServerUnreachable && refusal.OAuthError switch
    {
        "invalid_redirect_uri" or "invalid_client_metadata" => true,
        "access_denied" or "invalid_token" or "invalid_client" or "unauthorized_client" or "insufficient_scope"
            or "invalid_software_statement" or "unapproved_software_statement" => false,
        null => refusal.StatusCode is 400 or 422,
        _ => refusal.StatusCode is 200 or 201 or 400 or 422,
    };
}
