using System.Collections.Concurrent;
using System.Runtime.Versioning;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Configuration;

/// <summary>
/// Who can change the configuration folder. That is asked once a process, before a key in the folder is used or a secret is written;
/// who only reads what the folder says of servers does not pay for it. On Windows the access list of the user's profile is enough.
/// </summary>
internal static class ConfigurationFolder
{
    private const UnixFileMode OthersWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
    private const int ReadOnlyFileSystem = 30;

    // What was judged, and told, before.
    private static readonly ConcurrentDictionary<string, bool> Checked = new(StringComparer.Ordinal);

    /// <summary>Goes on if the folder is ours or root's, or if we are root; takes the right to write from others if it is ours.</summary>
    /// <param name="warn">Is told what was changed, or what is not as it should be.</param>
    /// <exception cref="McpAuthException">ConfigurationUnavailable: it is another user's, and no variable names it.</exception>
    public static void Require(AppEnvironment environment, Action<string>? warn)
    {
        if (OperatingSystem.IsWindows() || Checked.ContainsKey(environment.Folder) || UnixFile.Status(environment.Folder) is not { } status)
        {
            // One that is not there yet is made by us, for us alone.
            return;
        }
        if (FileOwner.IsForeign(status))
        {
            RequireNamed(environment, environment.Folder, status);
            warn?.Invoke($"The folder '{environment.Folder}' belongs to another user ({status.Owner}), who can read and replace what is kept in it.");
        }
        else if (status.Owner == UnixFile.User && (status.Mode & OthersWrite) != 0)
        {
            Close(environment.Folder, status, warn);
        }
        Checked[environment.Folder] = true;
    }

    /// <summary>The same question of a key file, which may be linked to from the folder. Its mode is not looked at.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable: it is another user's, and no variable names the folder.</exception>
    public static void RequireKey(AppEnvironment environment, string path)
    {
        if (!OperatingSystem.IsWindows() && UnixFile.Status(path) is { } status && FileOwner.IsForeign(status))
        {
            RequireNamed(environment, path, status);
        }
    }

    private static void RequireNamed(AppEnvironment environment, string path, FileStatus status)
    {
        if (!environment.IsFolderNamed)
        {
            throw new McpAuthException(ErrorReason.ConfigurationUnavailable,
                $"'{path}' belongs to another user ({status.Owner}), and no variable names that folder: no key in it is used, and no secret written to it.",
                $"If you trust that user, set MCPSM_CONFIG_DIR to {environment.Folder}; else set HOME to your own folder.");
        }
    }

    [UnsupportedOSPlatform("windows")]
    private static void Close(string folder, FileStatus status, Action<string>? warn)
    {
        try
        {
            // In a folder such as /tmp others are meant to write; they cannot replace our files there.
            if ((status.Mode & UnixFileMode.StickyBit) == 0)
            {
                File.SetUnixFileMode(folder, status.Mode & ~OthersWrite);
            }
        }
        catch (IOException e) when (e.HResult == ReadOnlyFileSystem)
        {
            // A mounted secret, to which no one writes.
            return;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The mode says so below: some volumes and shares have one for all files.
        }
        warn?.Invoke(UnixFile.Status(folder) is { } now && (now.Mode & OthersWrite) == 0
            ? $"Others could write to the folder '{folder}'; from now on only you can."
            : $"Others can write to the folder '{folder}', and so replace what is kept in it. That right could not be taken away.");
    }
}
