using Microsoft.Win32.SafeHandles;

namespace McpSm.Cli;

/// <summary>
/// Opens the null device in place of each closed standard stream (<c>2>&amp;-</c>). Otherwise the next file, pipe or socket would
/// get the descriptor of that stream, and messages would be written into it.
/// </summary>
internal static class StandardStreams
{
    private const string NullDevice = "/dev/null";

    // Referenced, so that no finalizer closes them.
    private static readonly List<SafeFileHandle> Opened = [];

    public static void Open()
    {
        while (!OperatingSystem.IsWindows() && File.Exists(NullDevice))
        {
            // The system assigns the lowest free descriptor.
            var handle = File.OpenHandle(NullDevice, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            if (handle.DangerousGetHandle() > 2)
            {
                handle.Dispose();
                return;
            }
            Opened.Add(handle);
        }
    }
}
