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
    private readonly Func<bool> _isRelay;
    private readonly PosixSignalRegistration[] _registrations;
    private int _received;

    /// <param name="exchanges">The exchanges that must not be cut off.</param>
    /// <param name="isRelay">Whether the command relays standard streams. Clients end it with a signal, and its exit code then reports success.</param>
    public Signals(TokenExchangeTracker exchanges, Func<bool> isRelay)
    {
        (_exchanges, _isRelay) = (exchanges, isRelay);
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
            if (_isRelay())
            {
                // Clients send several signals, one soon after another. None may cut off a renewal, and the deadline is near.
                return;
            }
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
        Environment.Exit(_isRelay() ? ExitCode.Done : ExitCode.Cancelled);
    }
}
