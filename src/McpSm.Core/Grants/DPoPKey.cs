using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using McpSm.Core.Errors;

namespace McpSm.Core.Grants;

/// <summary>
/// The key that tokens are bound to (RFC 9449): EC on P-256, made for one sign-in, and kept in the vault with what came
/// of it. Whoever reads the credential there has the key too, so that processes share it.
/// </summary>
public sealed record DPoPKey
{
    /// <summary>PKCS#8, base64.</summary>
    [JsonInclude]
    [JsonPropertyName("pkcs8")]
    internal string Pkcs8 { get; init; } = "";

    /// <summary>A key that nobody else has.</summary>
    public static DPoPKey Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new DPoPKey { Pkcs8 = Convert.ToBase64String(key.ExportPkcs8PrivateKey()) };
    }

    /// <summary>The thumbprint of the public key (RFC 7638), as <c>dpop_jkt</c> and <c>cnf</c> name it.</summary>
    /// <exception cref="McpAuthException">VaultCorrupt.</exception>
    public string Thumbprint()
    {
        using var key = Open();
        var (x, y) = Coordinates(key);
        // RFC 7638 section 3.1: the required members alone, in this order, without spaces.
        return Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}""")));
    }

    /// <summary>Signs with ES256 (RFC 7518 section 3.4).</summary>
    /// <param name="text">Makes the bytes of the coordinates of the public key, base64url.</param>
    /// <exception cref="McpAuthException">VaultCorrupt.</exception>
    internal (byte[] Text, byte[] Signature) Sign(Func<string, string, byte[]> text)
    {
        using var key = Open();
        var (x, y) = Coordinates(key);
        var signed = text(x, y);
        return (signed, key.SignData(signed, HashAlgorithmName.SHA256));
    }

    /// <summary>Without the key: records print all their members.</summary>
    public override string ToString() => "DPoP key";

    private ECDsa Open()
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportPkcs8PrivateKey(Convert.FromBase64String(Pkcs8), out _);
            return key.KeySize == 256 ? key : throw new CryptographicException("Another curve.");
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            key.Dispose();
            throw new McpAuthException(ErrorReason.VaultCorrupt, "The key that the token is bound to is damaged in the vault.", "Sign in again.");
        }
    }

    private static (string X, string Y) Coordinates(ECDsa key)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        return (Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
    }
}
