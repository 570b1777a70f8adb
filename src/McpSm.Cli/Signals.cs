using System.Runtime.InteropServices;
using McpSm.Commands;
using McpSm.Core.Interruption;

namespace McpSm.Cli;

/// <summary>
/// What SIGINT, SIGTERM and SIGHUP do. The first one asks the command to end, and ends the process at the
/// <see cref="InterruptionDeadline"/> if the command has not. The second one ends the process at once.
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

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _cancel.Token;

    /// <summary>Whether a signal has come.</summary>
    public bool HaveCome => Volatile.Read(ref _received) > 0;

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }
        _cancel.Dispose();
    }

    // The runtime calls this on a thread of its own, whatever the others do.
    private void Receive(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _received) > 1)
        {
            Environment.Exit(ExitCode.Cancelled);
        }
        // A thread of our own: those of the pool may all be blocked, and what is cancelled may block this one.
        new Thread(EndInTime) { IsBackground = true }.Start();
        try
        {
            _cancel.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The command has just ended.
        }
    }

    private void EndInTime()
    {
        for (var deadline = new InterruptionDeadline(_exchanges); !deadline.HasPassed;)
        {
            Thread.Sleep(50);
        }
        Environment.Exit(ExitCode.Cancelled);
    }
}
