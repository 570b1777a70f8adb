using System.Runtime.InteropServices;
using McpSm.Commands;
using McpSm.Core.Interruption;

namespace McpSm.Cli;

/// <summary>
/// Handles SIGINT, SIGTERM and SIGHUP. The first signal cancels the command, and ends the process at the
/// <see cref="InterruptionDeadline"/> if the command is still running. The second signal ends the process at once.
/// </summary>
internal sealed class Signals : IDisposable
{
    private readonly CancellationTokenSource _cancel = new();
    private readonly TokenExchangeTracker _exchanges;
    private readonly PosixSignalRegistration[] _registrations;
    private int _received;

    public Signals(TokenExchangeTracker exchanges)
    {
        _exchanges = exchanges;
        _registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(s => PosixSignalRegistration.Create(s, Receive))];
    }

    /// <summary>A token that the first signal cancels.</summary>
    public CancellationToken Token => _cancel.Token;

    public bool HasReceived => Volatile.Read(ref _received) > 0;

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }
        _cancel.Dispose();
    }

    // The runtime calls this on a dedicated thread.
    private void Receive(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _received) > 1)
        {
            Environment.Exit(ExitCode.Cancelled);
        }
        // A dedicated thread: all threads of the pool may be blocked, and a cancellation callback may block this one.
        new Thread(ExitAtDeadline) { IsBackground = true }.Start();
        try
        {
            _cancel.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The command has ended in the meantime.
        }
    }

    private void ExitAtDeadline()
    {
        for (var deadline = new InterruptionDeadline(_exchanges); !deadline.HasPassed;)
        {
#pragma warning disable RS0030 // A wait without the thread pool, all threads of which may be blocked.
            Thread.Sleep(50);
#pragma warning restore RS0030
        }
        Environment.Exit(ExitCode.Cancelled);
    }
}
