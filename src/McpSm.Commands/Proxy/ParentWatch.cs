using System.Diagnostics;
using System.Runtime.Versioning;
using McpSm.Core.Processes;

namespace McpSm.Commands.Proxy;

/// <summary>
/// Cancels a token when the client that started this process has ended. The end of standard input tells that too, except if a sibling of this process
/// has inherited the other end of the pipe.
/// </summary>
internal sealed class ParentWatch : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _gone;
    private readonly IDisposable? _watching;

    private ParentWatch(CancellationToken cancellationToken, Func<Action, IDisposable?> watch)
    {
        _gone = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _watching = watch(ReportGone);
    }

    /// <summary>Cancelled when the client has ended, or with the token of the caller.</summary>
    public CancellationToken Token => _gone.Token;

    /// <summary>Watches the parent of this process. On a terminal, or without a parent, it watches nothing.</summary>
    public static ParentWatch Start(TimeProvider time, CancellationToken cancellationToken) => new(cancellationToken, gone => OperatingSystem.IsWindows()
        ? WaitForExit(gone) : ParentProcess.IsInputPipe ? Poll(ReadParent, time, gone) : null);

    /// <summary>Watches the id of a parent.</summary>
    internal static ParentWatch Start(Func<int> readParent, TimeProvider time, CancellationToken cancellationToken) =>
        new(cancellationToken, gone => Poll(readParent, time, gone));

    public void Dispose()
    {
        _watching?.Dispose();
        _gone.Dispose();
    }

    private static ITimer Poll(Func<int> readParent, TimeProvider time, Action gone)
    {
        var parent = readParent();
        return time.CreateTimer(_ =>
        {
            if (readParent() != parent)
            {
                gone();
            }
        }, null, Interval, Interval);
    }

    [UnsupportedOSPlatform("windows")]
    private static int ReadParent() => ParentProcess.Id;

    [SupportedOSPlatform("windows")]
    private static Process? WaitForExit(Action gone)
    {
        if (ParentProcess.Open() is not { } parent)
        {
            return null;
        }
        parent.Exited += (_, _) => gone();
        parent.EnableRaisingEvents = true;
        return parent;
    }

    private void ReportGone()
    {
        try
        {
            _gone.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The relay has ended at the same time.
        }
    }
}
