using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace McpSm.Samples;

/// <summary>Creates unguessable random values, and compares secrets in constant time.</summary>
internal static class Secrets
{
    private const string UserCodeLetters = "BCDFGHJKLMNPQRSTVWXZ";

    /// <summary>Returns a prefix and 256 random bits.</summary>
    public static string New(string prefix) => prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>Returns eight letters without vowels, which a user can type (RFC 8628 section 6.1).</summary>
    public static string NewUserCode()
    {
        var letters = RandomNumberGenerator.GetString(UserCodeLetters, 8);
        return $"{letters[..4]}-{letters[4..]}";
    }

    public static bool Same(string expected, string actual) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(actual));

    /// <summary>Returns the S256 challenge of a PKCE verifier (RFC 7636 section 4.2).</summary>
    public static string ChallengeOf(string codeVerifier) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(codeVerifier)));
}
