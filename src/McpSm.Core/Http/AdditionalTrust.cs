using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using McpSm.Core.Errors;
using McpSm.Core.Network;

namespace McpSm.Core.Http;

/// <summary>
/// Accepts certificates of the user's own authorities in addition to those that the system trusts. The file of authorities is read only if the system
/// does not trust a certificate.
/// </summary>
internal sealed class AdditionalTrust(NetworkAccess network)
{
    // Extended key usage: TLS server authentication (RFC 5280 section 4.2.1.12).
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");

    private readonly Lazy<X509Certificate2Collection?> _authorities = new(network.LoadAuthorities);

    /// <summary>Checks the certificate of a server. The host name must match it in any case.</summary>
    /// <exception cref="McpAuthException">The file of authorities is needed and cannot be used.</exception>
    public bool Validate(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
        {
            return true;
        }
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is not X509Certificate2 server || _authorities.Value is not { } authorities)
        {
            return false;
        }
        using var own = new X509Chain();
        var policy = own.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(authorities);
        policy.RevocationMode = chain?.ChainPolicy.RevocationMode ?? X509RevocationMode.NoCheck;
        policy.DisableCertificateDownloads = true;
        policy.ApplicationPolicy.Add(ServerAuthentication);
        // What the server sent with its own certificate.
        policy.ExtraStore.AddRange(chain?.ChainPolicy.ExtraStore ?? []);
        return own.Build(server);
    }
}
