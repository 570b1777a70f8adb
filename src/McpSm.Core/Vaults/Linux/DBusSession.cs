using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using McpSm.Core.Configuration;
using McpSm.Core.Files;

namespace McpSm.Core.Vaults.Linux;

/// <summary>The user's D-Bus session bus, which provides access to the Secret Service.</summary>
internal static class DBusSession
{
    private const string AddressVariable = "DBUS_SESSION_BUS_ADDRESS";

    private static readonly Lock EnvironmentLock = new();

    /// <summary>
    /// Returns the address of the bus: DBUS_SESSION_BUS_ADDRESS, else $XDG_RUNTIME_DIR/bus, else the bus of the login session in /run/user. MCP
    /// clients start their servers without those variables.
    /// </summary>
    /// <returns>The address; null if a bus does not exist.</returns>
    public static string? Address(AppEnvironment environment)
    {
        if (environment.Variable(AddressVariable) is { } address)
        {
            // "autolaunch:" starts a new bus without the user's keyring; people set "disabled:" to switch the bus off.
            return address.Split(';').Any(a => a.StartsWith("autolaunch:", StringComparison.Ordinal) || a.StartsWith("disabled:", StringComparison.Ordinal))
                ? null : address;
        }
        if (environment.Variable("XDG_RUNTIME_DIR") is { } folder)
        {
            return Path.Combine(folder, "bus") is var named && File.Exists(named) ? "unix:path=" + Escape(named) : null;
        }
        return OperatingSystem.IsLinux() && environment.RuntimeFolders is { } folders && FindOfLogin(folders) is { } socket
            ? "unix:path=" + Escape(socket) : null;
    }

    /// <summary>
    /// The bus in the user's own runtime folder. Secrets go through it, so the folder and the socket must belong to this user, and others must not
    /// be able to replace the socket.
    /// </summary>
    [SupportedOSPlatform("linux")]
    private static string? FindOfLogin(string runtimeFolders)
    {
        const UnixFileMode othersWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        var user = UnixFile.User;
        var folder = Path.Combine(runtimeFolders, user.ToString(CultureInfo.InvariantCulture));
        var socket = Path.Combine(folder, "bus");
        return UnixFile.StatusOfLink(folder) is { Kind: FileKind.Folder } above && above.Owner == user && (above.Mode & othersWrite) == UnixFileMode.None
            && UnixFile.StatusOfLink(socket) is { Kind: FileKind.Socket } bus && bus.Owner == user ? socket : null;
    }

    /// <summary>
    /// Sets the address for GLib, which reads the environment of the process. Without an address GLib might start a bus. A change of $env: in
    /// PowerShell does not reach the environment of the process.
    /// </summary>
    [SupportedOSPlatform("linux")]
    public static void Use(string address)
    {
        lock (EnvironmentLock)
        {
            if (Marshal.PtrToStringUTF8(LibSecret.GetEnvironment(AddressVariable)) != address)
            {
                _ = LibSecret.SetEnvironment(AddressVariable, address, overwrite: true);
            }
        }
    }

    /// <summary>Escapes a value in an address as the D-Bus specification requires.</summary>
    private static string Escape(string path) => string.Concat(Encoding.UTF8.GetBytes(path).Select(b =>
        char.IsAsciiLetterOrDigit((char)b) || "-_/.\\*".Contains((char)b) ? ((char)b).ToString() : $"%{b:x2}"));
}
