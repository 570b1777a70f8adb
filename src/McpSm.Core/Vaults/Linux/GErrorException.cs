using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace McpSm.Core.Vaults.Linux;

/// <summary>An error from GLib or the Secret Service. Domain and code identify it; the text comes from the service.</summary>
internal sealed class GErrorException(string domain, int code, string text) : Exception("GLib or the Secret Service returned an error.")
{
    private const string DBus = "g-dbus-error-quark";
    private const string Secret = "secret-error";

    public string Text => text;

    /// <summary>G_IO_ERROR_CANCELLED.</summary>
    public bool IsCancelled => (domain, code) is ("g-io-error-quark", 19);

    /// <summary>Secret.Error.IsLocked.</summary>
    public bool IsLocked => (domain, code) is (Secret, 2);

    /// <summary>The item was removed after it was found: Secret.Error.NoSuchObject, DBus.Error.UnknownMethod, UnknownObject.</summary>
    public bool IsGone => (domain, code) is (Secret, 3) or (DBus, 19 or 41);

    /// <summary>The service is not running and could not be started: ServiceUnknown, NameHasNoOwner, Spawn.*.</summary>
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
