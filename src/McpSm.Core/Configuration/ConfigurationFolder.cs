using System.Collections.Concurrent;
using System.Runtime.Versioning;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Configuration;

/// <summary>
/// Checks who can change the configuration folder. The check runs once per process, before a key in the folder is used or a secret is written.
/// Commands that only read the catalog skip it. On Windows the access control list of the user profile is sufficient.
/// </summary>
internal static class ConfigurationFolder
{
    private const UnixFileMode NonOwnerWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
    private const int ReadOnlyFileSystem = 30;

    // The folders that were already checked in this process, with their notices shown.
    private static readonly ConcurrentDictionary<string, bool> Checked = new(StringComparer.Ordinal);

    /// <summary>
    /// Succeeds if the folder belongs to us or root, or if we are root. Removes write access for other users if the folder is ours.
    /// </summary>
    /// <param name="environment">The environment.</param>
    /// <param name="warn">Receives a warning about a change or a problem.</param>
    /// <exception cref="McpAuthException">
    /// ConfigurationUnavailable: the folder belongs to another user, and no environment variable names it.
    /// </exception>
    public static void Require(AppEnvironment environment, Action<string>? warn)
    {
        if (OperatingSystem.IsWindows() || Checked.ContainsKey(environment.Folder) || UnixFile.Status(environment.Folder) is not { } status)
        {
            // Mcpsm creates a missing folder with access for its owner only.
            return;
        }
        if (FileOwner.IsForeign(status))
        {
            RequireNamed(environment, environment.Folder, status);
            warn?.Invoke($"The folder '{environment.Folder}' belongs to another user ({status.Owner}), who can read and replace its files.");
        }
        else if (status.Owner == UnixFile.User && (status.Mode & NonOwnerWrite) != UnixFileMode.None)
        {
            Close(environment.Folder, status, warn);
        }
        Checked[environment.Folder] = true;
    }

    /// <summary>Checks the owner of a key file, which may be a link to another folder. Does not check its mode.</summary>
    /// <exception cref="McpAuthException">
    /// ConfigurationUnavailable: the file belongs to another user, and no environment variable names the folder.
    /// </exception>
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
                $"'{path}' belongs to another user ({status.Owner}). Mcpsm does not use its keys and does not write secrets to it.",
                $"If you trust that user, set MCPSM_CONFIG_DIR to {environment.Folder}. If not, set HOME to your own folder.");
        }
    }

    [UnsupportedOSPlatform("windows")]
    private static void Close(string folder, FileStatus status, Action<string>? warn)
    {
        try
        {
            // With the sticky bit, as in /tmp, other users may add files but cannot replace ours.
            if ((status.Mode & UnixFileMode.StickyBit) == UnixFileMode.None)
            {
                File.SetUnixFileMode(folder, status.Mode & ~NonOwnerWrite);
            }
        }
        catch (IOException e) when (e.HResult == ReadOnlyFileSystem)
        {
            // A read-only mount, which other users cannot write to either.
            return;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The mode is checked below: some volumes and shares have a fixed mode for all files.
        }
        warn?.Invoke(UnixFile.Status(folder) is { } current && (current.Mode & NonOwnerWrite) == UnixFileMode.None
            ? $"Other users could write to the folder '{folder}'. Mcpsm has removed their write access."
            : $"Other users can write to the folder '{folder}' and replace its files. Mcpsm could not remove their write access.");
    }
}
