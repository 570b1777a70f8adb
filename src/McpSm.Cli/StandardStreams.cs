using Microsoft.Win32.SafeHandles;

namespace McpSm.Cli;

/// <summary>
/// Puts the null device in the place of a standard stream that whoever started us has closed (<c>2>&amp;-</c>). The next pipe,
/// file or socket would get its number: what we say would go into that, and what we read come from it.
/// </summary>
internal static class StandardStreams
{
    private const string Nothing = "/dev/null";

    // Open for good.
    private static readonly List<SafeFileHandle> Held = [];

    public static void Open()
    {
        while (!OperatingSystem.IsWindows() && File.Exists(Nothing))
        {
            // The system gives the lowest number that is free.
            var handle = File.OpenHandle(Nothing, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            if (handle.DangerousGetHandle() > 2)
            {
                handle.Dispose();
                return;
            }
            Held.Add(handle);
        }
    }
}
