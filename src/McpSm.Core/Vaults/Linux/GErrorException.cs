using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace McpSm.Core.Vaults.Linux;

/// <summary>An error that GLib or the Secret Service reported: domain and code tell which, the text is the other side's.</summary>
internal sealed class GErrorException(string domain, int code, string text) : Exception("An error was reported.")
{
    private const string DBus = "g-dbus-error-quark";
    private const string Secret = "secret-error";

    public string Text => text;

    /// <summary>G_IO_ERROR_CANCELLED.</summary>
    public bool IsCancelled => (domain, code) is ("g-io-error-quark", 19);

    /// <summary>Secret.Error.IsLocked.</summary>
    public bool IsLocked => (domain, code) is (Secret, 2);

    /// <summary>What was found is no longer there: Secret.Error.NoSuchObject, DBus.Error.UnknownMethod, UnknownObject.</summary>
    public bool IsGone => (domain, code) is (Secret, 3) or (DBus, 19 or 41);

    /// <summary>Nobody has the service's name, and nobody could be started: ServiceUnknown, NameHasNoOwner, Spawn.*.</summary>
    public bool IsNoService => (domain, code) is (DBus, 2 or 3 or (>= 23 and <= 34));

    [SupportedOSPlatform("linux")]
    public static void ThrowIf(nint error)
    {
        if (error == 0)
        {
            return;
        }
        // struct GError { guint32 domain; gint code; gchar *message; }
        var e = new GErrorException(Marshal.PtrToStringUTF8(LibSecret.QuarkName((uint)Marshal.ReadInt32(error))) ?? "",
            Marshal.ReadInt32(error, 4), Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(error, 8)) ?? "");
        LibSecret.FreeError(error);
        throw e;
    }
}
