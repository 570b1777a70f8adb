using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using McpSm.Core.Configuration;

namespace McpSm.Core.Vaults.Linux;

/// <summary>The user's D-Bus session bus, over which the Secret Service is reached.</summary>
internal static class DBusSession
{
    private const string AddressVariable = "DBUS_SESSION_BUS_ADDRESS";

    private static readonly Lock Environment = new();

    /// <summary>Its address: DBUS_SESSION_BUS_ADDRESS, else $XDG_RUNTIME_DIR/bus; null where there is neither.</summary>
    public static string? Address(AppEnvironment environment)
    {
        if (environment.Variable(AddressVariable) is { } set)
        {
            // "autolaunch:" starts a bus of its own, on which nobody's keyring is; "disabled:" is how people switch it off.
            return set.Split(';').Any(a => a.StartsWith("autolaunch:", StringComparison.Ordinal) || a.StartsWith("disabled:", StringComparison.Ordinal))
                ? null : set;
        }
        return environment.Variable("XDG_RUNTIME_DIR") is { } folder && Path.Combine(folder, "bus") is var socket && File.Exists(socket)
            ? "unix:path=" + Escape(socket) : null;
    }

    /// <summary>
    /// Makes GLib, which reads the environment of the process, use that address. Where it found none it might start a
    /// bus; and what PowerShell sets in $env: never reaches the process's own environment.
    /// </summary>
    [SupportedOSPlatform("linux")]
    public static void Use(string address)
    {
        lock (Environment)
        {
            if (Marshal.PtrToStringUTF8(LibSecret.GetEnvironment(AddressVariable)) != address)
            {
                _ = LibSecret.SetEnvironment(AddressVariable, address, overwrite: true);
            }
        }
    }

    /// <summary>As the D-Bus specification escapes values in addresses.</summary>
    private static string Escape(string path) => string.Concat(Encoding.UTF8.GetBytes(path).Select(b =>
        char.IsAsciiLetterOrDigit((char)b) || "-_/.\\*".Contains((char)b) ? ((char)b).ToString() : $"%{b:x2}"));
}
