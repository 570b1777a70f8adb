using Duende.IdentityModel.Client;

namespace McpSm.Core.Grants;

/// <summary>Detects that an issuer refused the client itself, before it read the rest of the request (RFC 6749 section 5.2).</summary>
internal static class ClientRefusal
{
    /// <summary>
    /// Returns true for <c>invalid_client</c>, for a 401 without an error code, and for an <c>invalid_request</c> about the client id or
    /// secret. An endpoint that reads only the form returns the last one if they were sent in the header.
    /// </summary>
    public static bool Is(ProtocolResponse response) => TokenSet.Error(response) switch
    {
        "invalid_client" => true,
        "invalid_request" => TokenSet.Refused(response).Message is var message
            && (message.Contains("client_id", StringComparison.OrdinalIgnoreCase) || message.Contains("client_secret", StringComparison.OrdinalIgnoreCase)
                || message.Contains("client authentication", StringComparison.OrdinalIgnoreCase)),
        null => (int)response.HttpStatusCode == 401,
        _ => false,
    };
}
