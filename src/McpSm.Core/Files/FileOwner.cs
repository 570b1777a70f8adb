using System.Runtime.Versioning;

namespace McpSm.Core.Files;

/// <summary>Makes decisions by the owner of a file or folder. On Windows the access control list of the user profile is sufficient.</summary>
internal static class FileOwner
{
    private const uint Root = 0;

    /// <summary>Whether a link can be trusted, because it belongs to us or root.</summary>
    [UnsupportedOSPlatform("windows")]
    public static bool MayFollow(FileStatus link) => link.Owner == Root || link.Owner == UnixFile.User;

    /// <summary>
    /// Returns the user and group that should own a new file in this folder, if not us: root would create files in another user's folder that this
    /// user cannot read.
    /// </summary>
    [UnsupportedOSPlatform("windows")]
    public static (uint User, uint Group)? OwnerForNewFilesIn(string folder) =>
        UnixFile.User == Root && UnixFile.Status(folder) is { Owner: not Root } status ? (status.Owner, status.Group) : null;

    /// <summary>Whether the file belongs to another user. Files of root are not foreign, and for root no file is foreign.</summary>
    [UnsupportedOSPlatform("windows")]
    public static bool IsForeign(FileStatus status) => status.Owner != Root && UnixFile.User is var user && user != Root && user != status.Owner;
}
