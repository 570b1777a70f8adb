using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Serialization;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Grants;

/// <summary>
/// The private key of a client that authenticates with <c>private_key_jwt</c>: RSA with at least 2048 bits (RS256), or EC on P-256
/// (ES256). It is either the key itself, which is stored in the vault, or the thumbprint of a certificate whose key cannot be exported
/// from the certificate store of the user or the machine.
/// </summary>
public sealed record ClientKey
{
    // A key with a certificate chain has about 10 KiB.
    private const int MaxFileBytes = 1024 * 1024;

    /// <summary>The key as PEM (RFC 7468), with its certificate if there is one.</summary>
    [JsonInclude]
    [JsonPropertyName("pem")]
    internal string? Pem { get; init; }

    /// <summary>The thumbprint of a certificate in a certificate store.</summary>
    [JsonInclude]
    [JsonPropertyName("thumbprint")]
    internal string? Thumbprint { get; init; }

    /// <summary>Reads a key as PEM: PKCS#8, PKCS#1 or SEC 1. The text may also contain its certificate.</summary>
    /// <exception cref="McpAuthException">InvalidValue: the key is encrypted, too weak, or not in one of these formats.</exception>
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
            // The text may contain a certificate chain. Only the certificate of the key itself is sent.
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(pem);
            foreach (var certificate in chain)
            {
                if (certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
                {
                    return new ClientKey { Pem = Checked(key).ExportPkcs8PrivateKeyPem() + "\n" + certificate.ExportCertificatePem() };
                }
            }
            throw Unusable("no certificate in the PEM text belongs to it");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw Unusable("it is not an RSA or EC private key in PEM format");
        }
    }

    /// <summary>Reads such a key from a file or a pipe.</summary>
    /// <exception cref="McpAuthException">InvalidValue: the file cannot be read, or the key cannot be used.</exception>
    public static ClientKey FromFile(string path, CancellationToken cancellationToken = default)
    {
        // StreamReader skips the byte order mark that editors on Windows write.
        using var text = new StreamReader(new MemoryStream(UserFile.Read(path, MaxFileBytes, Unreadable, cancellationToken)));
        return FromPem(text.ReadToEnd());

        McpAuthException Unreadable(string reason) => new(ErrorReason.InvalidValue,
            $"The client key file{(UserFile.Name(path) is { } name ? $" '{name}'" : "")} cannot be read: {reason}.");
    }

    /// <summary>Uses the key of a certificate. If it cannot be exported from a certificate store, it stays there.</summary>
    /// <exception cref="McpAuthException">InvalidValue: the certificate has no key, or its key cannot be used.</exception>
    public static ClientKey FromCertificate(X509Certificate2 certificate)
    {
        if (!certificate.HasPrivateKey)
        {
            throw Unusable("the certificate has no private key");
        }
        using var key = KeyOf(certificate);
        try
        {
            return new ClientKey { Pem = Checked(key).ExportPkcs8PrivateKeyPem() + "\n" + certificate.ExportCertificatePem() };
        }
        catch (CryptographicException)
        {
            using var stored = Find(certificate.Thumbprint)
                ?? throw Unusable("it can neither be exported nor found in the certificate store of the user or the machine");
            return new ClientKey { Thumbprint = certificate.Thumbprint };
        }
    }

    /// <summary>Signs the input of a JWS.</summary>
    /// <param name="createInput">Creates the input from the algorithm (RFC 7518 section 3.1) and the certificate, if there is one.</param>
    /// <returns>The input and its signature.</returns>
    /// <exception cref="McpAuthException">AuthenticationRequired: the certificate is no longer in the store, or the store does not allow signing.</exception>
    internal (byte[] Text, byte[] Signature) Sign(Func<string, X509Certificate2?, byte[]> createInput)
    {
        using var certificate = Thumbprint is not null ? FindAgain() : Labels(Pem!).Contains("CERTIFICATE") ? X509Certificate2.CreateFromPem(Pem) : null;
        try
        {
            using var key = Thumbprint is not null ? KeyOf(certificate!) : Import(Pem!);
            var input = createInput(key is RSA ? "RS256" : "ES256", certificate);
            // .NET returns an ECDSA signature in the format of JWS, the two numbers side by side (RFC 7518 section 3.4).
            return (input, key is RSA rsa ? rsa.SignData(input, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
                : ((ECDsa)key).SignData(input, HashAlgorithmName.SHA256));
        }
        catch (CryptographicException)
        {
            // For example, a smart card was removed, or the user refused a prompt of the system.
            throw new McpAuthException(ErrorReason.AuthenticationRequired, "The certificate store did not allow signing with this client's key.");
        }
    }

    /// <summary>Returns the certificate with its key; null if the key has no certificate.</summary>
    /// <exception cref="McpAuthException">AuthenticationRequired: the certificate store no longer has it.</exception>
    internal X509Certificate2? ToCertificate() => Thumbprint is not null ? FindAgain()
        : Labels(Pem!).Contains("CERTIFICATE") ? X509Certificate2.CreateFromPem(Pem, Pem) : null;

    /// <summary>Hides the key, because a record prints all its members.</summary>
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
            // The algorithm of a PKCS#8 key is inside it. Try EC next.
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
                // This platform has no such store.
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

    private static McpAuthException Unusable(string reason, Remedy? remedy = null) =>
        new(ErrorReason.InvalidValue, $"The client's key cannot be used: {reason}.", remedy);
}
