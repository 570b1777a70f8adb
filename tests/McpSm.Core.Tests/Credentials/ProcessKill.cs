using System.Runtime.CompilerServices;
using McpSm.Core.Files;
using Xunit;

namespace McpSm.Core.Tests.Credentials;

/// <summary>Fails the file operations of one asynchronous flow from a given step on, as a killed process or a full disk does.</summary>
internal static class ProcessKill
{
    private static readonly AsyncLocal<StrongBox<int>?> Left = new();
    private static readonly AsyncLocal<bool> DiskIsFull = new();

    static ProcessKill() => AtomicFile.BeforeStep = _ =>
    {
        if (Left.Value is { } remaining && --remaining.Value < 0)
        {
            throw DiskIsFull.Value ? new IOException("No space left on device") : new Killed();
        }
    };

    /// <summary>Runs the work until the simulated kill. After it, every file operation of the work fails.</summary>
    /// <param name="steps">The number of file replacements and removals before the kill.</param>
    /// <param name="work">The work.</param>
    /// <returns>Whether the kill happened before the work ended.</returns>
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

    /// <summary>Runs the work on a disk that is full after a number of steps.</summary>
    /// <param name="steps">The number of file replacements and removals before the disk is full.</param>
    /// <param name="work">The work.</param>
    /// <returns>The exception of the work, or null if it succeeded.</returns>
    public static async Task<Exception?> FullDiskAfterAsync(int steps, Func<Task> work)
    {
        (Left.Value, DiskIsFull.Value) = (new(steps), true);
        return await Record.ExceptionAsync(work);
    }

    private sealed class Killed : Exception;
}
