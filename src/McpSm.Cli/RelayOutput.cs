using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace McpSm.Cli;

/// <summary>
/// Standard output for the bytes of a relay. Disposing it closes the pipe to the client, which so sees the end although this process may still have
/// a renewal to store. Unlike <see cref="Console.OpenStandardOutput()"/> it reports that the client no longer reads.
/// </summary>
[UnsupportedOSPlatform("windows")]
internal sealed partial class RelayOutput() : FileStream(new SafeFileHandle(StandardOutput, ownsHandle: false), FileAccess.Write, bufferSize: 0)
{
    private const int StandardOutput = 1;
    private const int StandardError = 2;
    private const string Descriptors = "/proc/self/fd";
    private bool _isClosed;

    // The one of the base class calls Dispose as a finalizer does.
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync().ConfigureAwait(false);
        Dispose(disposing: true);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (!disposing || _isClosed)
        {
            return;
        }
        _isClosed = true;
        using var nothing = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        // Every descriptor stays in use: the next file of this process must not become its standard output.
        foreach (var descriptor in FindCopies().Append(StandardOutput))
        {
            _ = Duplicate((int)nothing.DangerousGetHandle(), descriptor);
        }
    }

    /// <summary>Finds the descriptors of the same pipe that the runtime opened. The client sees the end only if those are closed too.</summary>
    private static List<int> FindCopies()
    {
        var copies = new List<int>();
        try
        {
            var pipe = new FileInfo($"{Descriptors}/{StandardOutput}").LinkTarget;
            foreach (var entry in pipe is null || !pipe.Contains(":[", StringComparison.Ordinal) ? [] : new DirectoryInfo(Descriptors).EnumerateFiles())
            {
                if (entry.LinkTarget == pipe && int.TryParse(entry.Name, CultureInfo.InvariantCulture, out var descriptor) && descriptor > StandardError)
                {
                    copies.Add(descriptor);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Only Linux lists descriptors there. Without the list, the client sees the end when the process ends.
        }
        return copies;
    }

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Duplicate(int from, int to);
}
