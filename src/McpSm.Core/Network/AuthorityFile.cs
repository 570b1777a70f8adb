using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Network;

/// <summary>A PEM file of the authorities (CAs) that a company uses for its own servers or for the proxy that inspects traffic.</summary>
internal static class AuthorityFile
{
    // A bundle of all public authorities has 250 KiB.
    private const int MaxBytes = 4 * 1024 * 1024;

    private const string Remedy = "Give it the path of a file with '-----BEGIN CERTIFICATE-----' blocks, which only you or an administrator can change.";

    /// <exception cref="McpAuthException">InvalidValue: the file cannot be read, or does not contain certificates.</exception>
    public static X509Certificate2Collection Read(string path)
    {
        var bytes = UserFile.Read(path, MaxBytes, why => Unusable(path, why), CancellationToken.None);
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(System.Text.Encoding.Latin1.GetString(bytes));
        }
        catch (CryptographicException)
        {
            throw Unusable(path, "it contains a certificate that is damaged");
        }
        return certificates.Count > 0 ? certificates : throw Unusable(path, "it does not contain certificates in PEM format");
    }

    /// <summary>Checks that other users cannot add an authority.</summary>
    /// <exception cref="McpAuthException">InvalidValue.</exception>
    public static void RequireSafe(string path)
    {
        if (OperatingSystem.IsWindows() || UnixFile.Status(path) is not { } status)
        {
            return;
        }
        if (FileOwner.IsForeign(status))
        {
            throw Unusable(path, "it belongs to another user");
        }
        if ((status.Mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != UnixFileMode.None)
        {
            throw Unusable(path, "other users may change it");
        }
    }

    private static McpAuthException Unusable(string path, string why) =>
        new(ErrorReason.InvalidValue, $"Cannot use '{UntrustedText.Sanitize(path)}' as the file of authorities: {why}.", Remedy);
}
