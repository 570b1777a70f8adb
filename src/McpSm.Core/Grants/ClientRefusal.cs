using Duende.IdentityModel.Client;

namespace McpSm.Core.Grants;

/// <summary>Whether an issuer refused the client itself, before it looked at the rest of the request (RFC 6749 section 5.2).</summary>
internal static class ClientRefusal
{
    /// <summary>
    /// True for <c>invalid_client</c>, for a 401 that names no error, and for an <c>invalid_request</c> about the client's id or
    /// secret: an endpoint that reads the form alone finds neither there if they came in the header.
    /// </summary>
    public static bool Is(ProtocolResponse response) => TokenSet.Error(response) switch
    {
        "invalid_client" => true,
        "invalid_request" => TokenSet.Refused(response).Message is var words
            && (words.Contains("client_id", StringComparison.OrdinalIgnoreCase) || words.Contains("client_secret", StringComparison.OrdinalIgnoreCase)
                || words.Contains("client authentication", StringComparison.OrdinalIgnoreCase)),
        null => (int)response.HttpStatusCode == 401,
        _ => false,
    };
}
