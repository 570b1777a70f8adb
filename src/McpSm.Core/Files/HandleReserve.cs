using Microsoft.Win32.SafeHandles;

namespace McpSm.Core.Files;

/// <summary>
/// A reserve of open file handles, acquired before a refresh token is used and released before the result is written. If the process is close to its
/// limit (<c>ulimit -n</c>), it fails before the request and not between the response and the write.
/// </summary>
internal sealed class HandleReserve : IDisposable
{
    // The handles that a write needs: a lock, the temporary file, a listing of the folder, and one spare.
    private const int Count = 4;
    private const string NullDevice = "/dev/null";

    private readonly List<SafeFileHandle> _handles = [];

    private HandleReserve()
    {
    }

    /// <summary>Acquires the reserve.</summary>
    /// <exception cref="Errors.McpAuthException">ConfigurationUnavailable: too many files are open.</exception>
    public static HandleReserve Take()
    {
        var reserve = new HandleReserve();
        try
        {
            // Windows does not have such a limit.
            while (!OperatingSystem.IsWindows() && reserve._handles.Count < Count)
            {
                reserve._handles.Add(File.OpenHandle(NullDevice, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            }
            return reserve;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            // A root file system without devices. The command can continue without the reserve.
            return reserve;
        }
        catch (IOException e)
        {
            reserve.Dispose();
            throw AtomicFile.Unavailable("open", NullDevice, e);
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
