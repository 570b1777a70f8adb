using System.Runtime.CompilerServices;
using McpSm.Core.Files;
using Xunit;

namespace McpSm.Core.Tests.Credentials;

/// <summary>Ends the file work of one flow of a test before a step, as the end of its process or a full disk would.</summary>
internal static class ProcessKill
{
    private static readonly AsyncLocal<StrongBox<int>?> Left = new();
    private static readonly AsyncLocal<bool> DiskIsFull = new();

    static ProcessKill() => AtomicFile.BeforeStep = _ =>
    {
        if (Left.Value is { } left && --left.Value < 0)
        {
            throw DiskIsFull.Value ? new IOException("No space left on device") : new Killed();
        }
    };

    /// <summary>Does the work until the process dies; from then on nothing of it can be written.</summary>
    /// <param name="steps">How many steps of replacing and removing files are still done.</param>
    /// <returns>Whether it died.</returns>
    public static async Task<bool> AfterAsync(int steps, Func<Task> work)
    {
        Left.Value = new(steps);
        try
        {
            await work();
            return false;
        }
        catch (Killed)
        {
            return true;
        }
    }

    /// <summary>Does the work on a disk that is full after so many steps.</summary>
    /// <returns>How it failed; null where it did not.</returns>
    public static async Task<Exception?> FullDiskAfterAsync(int steps, Func<Task> work)
    {
        (Left.Value, DiskIsFull.Value) = (new(steps), true);
        return await Record.ExceptionAsync(work);
    }

    private sealed class Killed : Exception;
}
