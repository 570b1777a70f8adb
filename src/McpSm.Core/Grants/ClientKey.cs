using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Serialization;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Grants;

/// <summary>
/// The private key of a client that authenticates by <c>private_key_jwt</c>: RSA of 2048 bits and more (RS256), or EC on
/// P-256 (ES256). It is a secret that is kept in the vault, or the name of a certificate whose key cannot be taken out
/// of the user's or the machine's certificate store.
/// </summary>
public sealed record ClientKey
{
    // A key with a chain of certificates has 10 KiB.
    private const int MaxFileBytes = 1024 * 1024;

    /// <summary>The key, and the certificate where there is one, as PEM (RFC 7468).</summary>
    [JsonInclude]
    [JsonPropertyName("pem")]
    internal string? Pem { get; init; }

    /// <summary>The thumbprint of a certificate in a store.</summary>
    [JsonInclude]
    [JsonPropertyName("thumbprint")]
    internal string? Thumbprint { get; init; }

    /// <summary>A key as PEM: PKCS#8, PKCS#1 or SEC 1; a certificate of it may stand before or behind it.</summary>
    /// <exception cref="McpAuthException">InvalidValue.</exception>
    public static ClientKey FromPem(string pem)
    {
        if (pem.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal) || pem.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal))
        {
            throw Unusable("it is encrypted", "Decrypt it first, with: openssl pkey -in <file>");
        }
        try
        {
            using AsymmetricAlgorithm key = Import(pem);
            var labels = Labels(pem);
            if (!labels.Contains("CERTIFICATE"))
            {
                return new ClientKey { Pem = Checked(key).ExportPkcs8PrivateKeyPem() };
            }
            // A chain may stand there too; the certificate of the key is the one that is shown.
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(pem);
            foreach (var certificate in chain)
            {
                if (certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
                {
                    return new ClientKey { Pem = Checked(key).ExportPkcs8PrivateKeyPem() + "\n" + certificate.ExportCertificatePem() };
                }
            }
            throw Unusable("no certificate beside it is of it");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw Unusable("it is no RSA or EC private key as PEM");
        }
    }

    /// <summary>A file of such a key, or a pipe that gives one.</summary>
    /// <exception cref="McpAuthException">InvalidValue.</exception>
    public static ClientKey FromFile(string path, CancellationToken cancellationToken = default)
    {
        // Text of Windows may begin with a byte order mark.
        using var text = new StreamReader(new MemoryStream(UserFile.Read(path, MaxFileBytes, Unreadable, cancellationToken)));
        return FromPem(text.ReadToEnd());

        McpAuthException Unreadable(string why) => new(ErrorReason.InvalidValue,
            $"The file of the client's key{(UserFile.Name(path) is { } name ? $", {name}," : "")} cannot be read: {why}.");
    }

    /// <summary>A certificate with its key. A key that cannot be taken out of a certificate store stays there.</summary>
    /// <exception cref="McpAuthException">InvalidValue.</exception>
    public static ClientKey FromCertificate(X509Certificate2 certificate)
    {
        if (!certificate.HasPrivateKey)
        {
            throw Unusable("the certificate comes without its key");
        }
        using var key = KeyOf(certificate);
        try
        {
            return new ClientKey { Pem = Checked(key).ExportPkcs8PrivateKeyPem() + "\n" + certificate.ExportCertificatePem() };
        }
        catch (CryptographicException)
        {
            using var stored = Find(certificate.Thumbprint)
                ?? throw Unusable("it can neither be exported nor found again in the user's or the machine's certificate store");
            return new ClientKey { Thumbprint = certificate.Thumbprint };
        }
    }

    /// <summary>Signs the bytes that a JWS is of.</summary>
    /// <param name="text">Makes them of the algorithm (RFC 7518 section 3.1) and of the certificate, where there is one.</param>
    /// <returns>The bytes and their signature.</returns>
    /// <exception cref="McpAuthException">AuthenticationRequired: the certificate store no longer has it, or does not let it sign.</exception>
    internal (byte[] Text, byte[] Signature) Sign(Func<string, X509Certificate2?, byte[]> text)
    {
        using var certificate = Thumbprint is not null ? FindAgain() : Labels(Pem!).Contains("CERTIFICATE") ? X509Certificate2.CreateFromPem(Pem) : null;
        try
        {
            using var key = Thumbprint is not null ? KeyOf(certificate!) : Import(Pem!);
            var signed = text(key is RSA ? "RS256" : "ES256", certificate);
            // An ECDSA signature is here, as JWS wants it, the two numbers side by side (RFC 7518 section 3.4).
            return (signed, key is RSA rsa ? rsa.SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
                : ((ECDsa)key).SignData(signed, HashAlgorithmName.SHA256));
        }
        catch (CryptographicException)
        {
            // A smart card that was drawn, a question of the system's that was answered with no.
            throw new McpAuthException(ErrorReason.AuthenticationRequired, "The certificate store did not let this client's key sign.");
        }
    }

    /// <summary>The certificate with the key; null where the key came without one.</summary>
    /// <exception cref="McpAuthException">AuthenticationRequired: the certificate store no longer has it.</exception>
    internal X509Certificate2? ToCertificate() => Thumbprint is not null ? FindAgain()
        : Labels(Pem!).Contains("CERTIFICATE") ? X509Certificate2.CreateFromPem(Pem, Pem) : null;

    /// <summary>Without the key: records print all their members.</summary>
    public override string ToString() => "client key";

    private X509Certificate2 FindAgain() => Find(Thumbprint!) ?? throw new McpAuthException(ErrorReason.AuthenticationRequired,
        "The certificate that this client signs with is no longer in the certificate store.");

    private static AsymmetricAlgorithm Import(string pem)
    {
        var rsa = RSA.Create();
        try
        {
            rsa.ImportFromPem(pem);
            return rsa;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // Of what kind a PKCS#8 key is stands inside it.
            rsa.Dispose();
        }
        var ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportFromPem(pem);
            return ecdsa;
        }
        catch
        {
            ecdsa.Dispose();
            throw;
        }
    }

    private static AsymmetricAlgorithm KeyOf(X509Certificate2 certificate) =>
        (AsymmetricAlgorithm?)certificate.GetRSAPrivateKey() ?? certificate.GetECDsaPrivateKey() ?? throw Unusable("it is neither RSA nor EC");

    private static AsymmetricAlgorithm Checked(AsymmetricAlgorithm key) => key switch
    {
        RSA { KeySize: < 2048 } => throw Unusable("an RSA key must have 2048 bits or more"),
        ECDsa ec when ec.ExportParameters(false).Curve.Oid is not { Value: "1.2.840.10045.3.1.7" } and not { FriendlyName: "nistP256" or "ECDSA_P256" }
            => throw Unusable("an EC key must be on the curve P-256"),
        _ => key,
    };

    private static X509Certificate2? Find(string thumbprint)
    {
        foreach (var location in new[] { StoreLocation.CurrentUser, StoreLocation.LocalMachine })
        {
            try
            {
                using var store = new X509Store(StoreName.My, location, OpenFlags.ReadOnly | OpenFlags.OpenExistingOnly);
                if (store.Certificates.Find(X509FindType.FindByThumbprint, thumbprint, validOnly: false) is [var found, ..] && found.HasPrivateKey)
                {
                    return found;
                }
            }
            catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException)
            {
                // There is no such store here.
            }
        }
        return null;
    }

    private static List<string> Labels(string pem)
    {
        var labels = new List<string>();
        ReadOnlySpan<char> rest = pem;
        while (PemEncoding.TryFind(rest, out var fields))
        {
            labels.Add(rest[fields.Label].ToString());
            rest = rest[fields.Location.End..];
        }
        return labels;
    }

    private static McpAuthException Unusable(string why, Remedy? remedy = null) =>
        new(ErrorReason.InvalidValue, $"The client's key cannot be used: {why}.", remedy);
}
