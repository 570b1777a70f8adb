using McpSm.Commands.Output;
using McpSm.Core.Configuration;
using McpSm.Core.Processes;

namespace McpSm.Commands.Proxy;

/// <summary>
/// The command in a process that a relay started. It runs in a session of its own. It ends if the relay ends before the person agreed, and
/// outlives the relay after that.
/// </summary>
internal sealed class DetachedRun : IDisposable
{
    /// <summary>Set in the environment of such a process.</summary>
    public const string Variable = "MCPSM_DETACHED";

    /// <summary>What the relay writes when the person has agreed.</summary>
    public const byte Approval = (byte)'+';

    private readonly CancellationTokenSource _end;

    private DetachedRun(CancellationToken cancellationToken) => _end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

    /// <summary>Cancelled if the relay ended too early, or with the command.</summary>
    public CancellationToken Token => _end.Token;

    /// <summary>Begins such a run, if a relay started this process.</summary>
    public static DetachedRun? Begin(AppEnvironment environment, ICommandConsole console, CancellationToken cancellationToken)
    {
        if (environment.Variable(Variable) is null || console.OpenStandardStreams() is not var (input, _))
        {
            return null;
        }
        ProcessSession.Begin();
        var run = new DetachedRun(cancellationToken);
        // A thread: reading a pipe blocks, and must not keep the process alive.
        new Thread(run.WaitForApproval) { IsBackground = true, Name = "approval" }.Start(input);
        return run;
    }

    public void Dispose() => _end.Cancel();

    private void WaitForApproval(object? input)
    {
        using var stream = (Stream)input!;
        if (stream.ReadByte() != Approval)
        {
            // The source is not disposed: this thread may come later than the end of the command.
            _end.Cancel();
        }
    }
}
