using System.Runtime.Versioning;

namespace McpSm.Core.Files;

/// <summary>Decides by the owner of a file or folder. On Windows the access list of the user's profile is enough.</summary>
internal static class FileOwner
{
    private const uint Root = 0;

    /// <summary>Whether a link leads where its owner, who is we or root, wants it to.</summary>
    [UnsupportedOSPlatform("windows")]
    public static bool MayFollow(FileStatus link) => link.Owner == Root || link.Owner == UnixFile.User;

    /// <summary>
    /// The user and group that a new file of this folder is for, if not for us: as root in another user's folder we would leave files
    /// that this user cannot read.
    /// </summary>
    [UnsupportedOSPlatform("windows")]
    public static (uint User, uint Group)? HeirIn(string folder) =>
        UnixFile.User == Root && UnixFile.Status(folder) is { Owner: not Root } status ? (status.Owner, status.Group) : null;

    /// <summary>Whether another user owns the file. Root owns nothing that is foreign, and to root nothing is foreign.</summary>
    [UnsupportedOSPlatform("windows")]
    public static bool IsForeign(FileStatus status) => status.Owner != Root && UnixFile.User is var user && user != Root && user != status.Owner;
}
