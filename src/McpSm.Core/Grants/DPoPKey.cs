using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using McpSm.Core.Errors;

namespace McpSm.Core.Grants;

/// <summary>
/// The key that tokens are bound to (RFC 9449): EC on P-256. Each sign-in creates one. It is stored with the tokens, so that every process
/// that can read them can also use them.
/// </summary>
internal sealed record DPoPKey
{
    /// <summary>The private key, as base64 of PKCS#8.</summary>
    [JsonInclude]
    [JsonPropertyName("pkcs8")]
    internal string Pkcs8 { get; init; } = "";

    /// <summary>Creates a new key.</summary>
    public static DPoPKey Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new DPoPKey { Pkcs8 = Convert.ToBase64String(key.ExportPkcs8PrivateKey()) };
    }

    /// <summary>Returns the thumbprint of the public key (RFC 7638), for <c>dpop_jkt</c> and <c>cnf</c>.</summary>
    /// <exception cref="McpAuthException">VaultCorrupt.</exception>
    public string Thumbprint()
    {
        using var key = Open();
        var (x, y) = Coordinates(key);
        // RFC 7638 section 3.1: only the required members, in this order, without spaces.
        return Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}""")));
    }

    /// <summary>Signs the input of a JWS with ES256 (RFC 7518 section 3.4).</summary>
    /// <param name="createInput">Creates the input from the coordinates of the public key in base64url.</param>
    /// <exception cref="McpAuthException">VaultCorrupt.</exception>
    internal (byte[] Text, byte[] Signature) Sign(Func<string, string, byte[]> createInput)
    {
        using var key = Open();
        var (x, y) = Coordinates(key);
        var input = createInput(x, y);
        return (input, key.SignData(input, HashAlgorithmName.SHA256));
    }

    /// <summary>Hides the key, because a record prints all its members.</summary>
    public override string ToString() => "DPoP key";

    private ECDsa Open()
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportPkcs8PrivateKey(Convert.FromBase64String(Pkcs8), out _);
            return key.KeySize == 256 ? key : throw new CryptographicException("The key is not on the curve P-256.");
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            key.Dispose();
            throw new McpAuthException(ErrorReason.VaultCorrupt, "The DPoP key of the token is damaged in the vault.", "Sign in again.");
        }
    }

    private static (string X, string Y) Coordinates(ECDsa key)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        return (Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
    }
}
