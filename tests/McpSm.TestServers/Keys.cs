using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace McpSm.TestServers;

/// <summary>The key pair of a client as PEM, with a certificate.</summary>
public sealed record Keys(string Private, string Public, string Certificate)
{
    /// <summary>The certificate with its key.</summary>
    public X509Certificate2 WithKey() => X509Certificate2.CreateFromPem(Certificate, Private);

    /// <param name="algorithm">RS256 or ES256.</param>
    public static Keys Of(string algorithm) => algorithm == "RS256" ? OfRsa(2048) : OfEc(ECCurve.NamedCurves.nistP256);

    public static Keys OfRsa(int bits)
    {
        using var rsa = RSA.Create(bits);
        return Make(rsa, new CertificateRequest("CN=job", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    public static Keys OfEc(ECCurve curve)
    {
        using var ecdsa = ECDsa.Create(curve);
        return Make(ecdsa, new CertificateRequest("CN=job", ecdsa, HashAlgorithmName.SHA256));
    }

    private static Keys Make(AsymmetricAlgorithm key, CertificateRequest request)
    {
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        return new Keys(key.ExportPkcs8PrivateKeyPem(), key.ExportSubjectPublicKeyInfoPem(), certificate.ExportCertificatePem());
    }

    /// <summary>Leaves out the private key, which a record would print.</summary>
    public override string ToString() => "keys";
}
