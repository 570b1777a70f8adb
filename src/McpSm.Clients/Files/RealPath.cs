using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Clients.Files;

/// <summary>Resolves the links in a path.</summary>
internal static class RealPath
{
    // The limit of Linux.
    private const int MaxLinks = 40;

    /// <summary>Returns the path without links. Its last parts may not exist.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable: a loop, or a link of another user.</exception>
    public static string Of(string path)
    {
        var pending = new Stack<string>(Parts(path));
        var current = Path.GetPathRoot(Path.GetFullPath(path))!;
        for (var links = 0; pending.TryPop(out var part);)
        {
            var next = Path.GetFullPath(Path.Combine(current, part));
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                current = next;
                continue;
            }
            if (++links > MaxLinks)
            {
                throw ClientFileError.Loop(path);
            }
            if (!MayFollow(next))
            {
                throw ClientFileError.ForeignLink(path, next);
            }
            var full = Path.GetFullPath(target, current);
            foreach (var step in Parts(full))
            {
                pending.Push(step);
            }
            current = Path.GetPathRoot(full)!;
        }
        return current;
    }

    /// <summary>Returns the parts of a path, the last one first.</summary>
    private static IEnumerable<string> Parts(string path)
    {
        var full = Path.GetFullPath(path);
        var steps = full[Path.GetPathRoot(full)!.Length..];
        return steps.Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries).Reverse();
    }

    /// <summary>Whether a link cannot make us write to a file that the owner of the link could not write.</summary>
    private static bool MayFollow(string link) => OperatingSystem.IsWindows() || UnixFile.StatusOfLink(link) is not { } status || FileOwner.MayFollow(status)
        || UnixFile.Status(link)?.Owner == status.Owner;
}
