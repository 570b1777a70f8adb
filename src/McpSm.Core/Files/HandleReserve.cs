using McpSm.Core.Errors;
using Microsoft.Win32.SafeHandles;

namespace McpSm.Core.Files;

/// <summary>
/// A few open handles, taken before something is spent and given back before its result is written. A process that may open
/// only so many files (<c>ulimit -n</c>) then runs out of them before, and not between the answer and the write.
/// </summary>
internal sealed class HandleReserve : IDisposable
{
    // What a write needs at once: a lock, the file beside it, a listing of the folder, and one to spare.
    private const int Count = 4;
    private const string Nothing = "/dev/null";

    private readonly List<SafeFileHandle> _handles = [];

    private HandleReserve()
    {
    }

    /// <exception cref="Errors.McpAuthException">ConfigurationUnavailable: too many files are open.</exception>
    public static HandleReserve Take()
    {
        var reserve = new HandleReserve();
        try
        {
            // Windows has no such limit.
            while (!OperatingSystem.IsWindows() && reserve._handles.Count < Count)
            {
                reserve._handles.Add(File.OpenHandle(Nothing, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            }
            return reserve;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            // A root folder without devices: there is nothing to hold, and no reason to refuse.
            return reserve;
        }
        catch (IOException e)
        {
            reserve.Dispose();
            throw AtomicFile.Unavailable("open", Nothing, e);
        }
    }

    public void Dispose()
    {
        foreach (var handle in _handles)
        {
            handle.Dispose();
        }
        _handles.Clear();
    }
}
