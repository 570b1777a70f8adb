using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using McpSm.TestServers.Entra;

namespace McpSm.TestServers;

/// <summary>
/// A certificate authority of this process and its certificate for 127.0.0.1, localhost, the hosts of
/// <see cref="FakeEntra"/>, and the hosts and addresses behind the proxy of a test.
/// </summary>
public static class LoopbackCertificates
{
    private static readonly Lazy<(X509Certificate2 Authority, X509Certificate2 Server)> Made = new(Make);

    /// <summary>The certificate of the authority, without its key.</summary>
    public static X509Certificate2 Authority => Made.Value.Authority;

    /// <summary>The certificate of the servers with its key.</summary>
    public static X509Certificate2 Server => Made.Value.Server;

    /// <summary>Writes the certificate of the authority as PEM, for SSL_CERT_FILE of a child process (curl reads CURL_CA_BUNDLE first).</summary>
    public static void WriteAuthorityPem(string path) => File.WriteAllText(path, Authority.ExportCertificatePem() + "\n");

    /// <summary>A certificate check for an HTTP handler of this process that trusts only this authority.</summary>
    public static bool Trusts(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return false;
        }

        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.Add(Authority);
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        own.ChainPolicy.DisableCertificateDownloads = true;
        using var presented = new X509Certificate2(certificate);
        return own.Build(presented);
    }

    private static (X509Certificate2 Authority, X509Certificate2 Server) Make()
    {
        var from = DateTimeOffset.UtcNow.AddDays(-1);
        var until = from.AddDays(30);

        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest("CN=Mcpsm test authority", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        authorityRequest.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        var authorityId = new X509SubjectKeyIdentifierExtension(authorityRequest.PublicKey, false);
        authorityRequest.CertificateExtensions.Add(authorityId);
        using var authority = authorityRequest.CreateSelfSigned(from, until);

        using var serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var serverRequest = new CertificateRequest("CN=127.0.0.1", serverKey, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Parse("10.1.2.3"));
        names.AddIpAddress(IPAddress.Parse("100.64.0.5"));
        foreach (var host in FakeEntra.Hosts.Concat(["mcp.example", "issuer.example"]))
        {
            names.AddDnsName(host);
        }
        serverRequest.CertificateExtensions.Add(names.Build());
        serverRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        serverRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        serverRequest.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1", "serverAuth")], false));
        serverRequest.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(authorityId));
        using var signed = serverRequest.Create(authority, from, until, RandomNumberGenerator.GetBytes(16));
        using var withKey = signed.CopyWithPrivateKey(serverKey);

        // Windows cannot serve TLS with a key that was never stored, so load the certificate from PKCS#12.
        var server = X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
        return (X509CertificateLoader.LoadCertificate(authority.RawData), server);
    }
}
