using System.Diagnostics;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Processes;
using McpSm.Core.Servers;
using McpSm.Relay.SignIn;

namespace McpSm.Commands.Proxy;

/// <summary>A sign-in of a person in a process of its own: <c>mcpsm auth login</c>.</summary>
/// <param name="server">The server.</param>
/// <param name="environment">The environment.</param>
/// <param name="program">Starts the program of this command again.</param>
/// <param name="note">The note about the sign-in, which other processes read.</param>
/// <param name="asking">The lock of the relay that asks, which this attempt releases.</param>
internal sealed class DetachedAttempt(McpServer server, AppEnvironment environment, OwnProgram program, SignInNote note, FileLock asking) : ISignInAttempt
{
    private const int MaxFailureText = 500;

    private readonly TaskCompletionSource<string?> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Uri?> _url = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Stream? _approval;
    private bool _isApproved;
    private string? _failure;

    public Task<string?> Completion => _completion.Task;

    public bool IsStarted => _approval is not null;

    public Task<Uri?> StartAsync(CancellationToken cancellationToken)
    {
        Start("--no-browser");
        return _url.Task.WaitAsync(cancellationToken);
    }

    public void Approve()
    {
        note.Begin();
        SendApproval();
    }

    public void StartInBrowser()
    {
        // Before the browser: if the note cannot be written, no second relay must open another one.
        note.Begin();
        Start();
        SendApproval();
    }

    public void Dispose()
    {
        // Without the approval, the process takes the end of its input as a cancellation.
        _approval?.Dispose();
        asking.Dispose();
    }

    private void Start(params string[] options)
    {
        Process process;
        try
        {
            string[] arguments = [.. program.Arguments, "auth", "login", server.Id, "--quiet", .. options];
            process = new ProgramStarter(environment).StartTrusted(program.Path, arguments, start =>
            {
                // The process outlives the relay, so it must not have the streams of the client.
                start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
                start.CreateNoWindow = true;
                if (OperatingSystem.IsWindows())
                {
                    start.CreateNewProcessGroup = true;
                }
                start.Environment[DetachedRun.Variable] = "1";
                foreach (var (name, value) in program.Variables)
                {
                    start.Environment[name] = value;
                }
            });
        }
        catch (ProgramNotStartedException e)
        {
            throw new McpAuthException(ErrorReason.InteractionRequired, $"The sign-in to '{server.Name}' cannot be started: '{program.Path}' {e.Message}.");
        }
        _approval = process.StandardInput.BaseStream;
        process.StandardOutput.Close();
        _ = Task.Run(() => ReadAsync(process));
    }

    private void SendApproval()
    {
        _isApproved = true;
        try
        {
            _approval!.WriteByte(DetachedRun.Approval);
            _approval.Flush();
        }
        catch (IOException)
        {
            // The process has ended, and says why.
        }
    }

    /// <summary>Reads what the process says on standard error: with <c>--quiet</c>, the URL to open, warnings, and one error.</summary>
    private async Task ReadAsync(Process process)
    {
        while (await process.StandardError.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            if (IsUrl(line) && Uri.TryCreate(line, UriKind.Absolute, out var url))
            {
                if (_isApproved)
                {
                    // The browser could not be opened, so the person cannot sign in.
                    _failure = "no browser can be opened here";
                    process.Kill(entireProcessTree: true);
                }
                _url.TrySetResult(url);
            }
            else if (line.StartsWith(Output.StatusText.FailureSymbol, StringComparison.Ordinal) || line.StartsWith("x ", StringComparison.Ordinal))
            {
                _failure ??= line[1..].Trim() is { Length: <= MaxFailureText } text ? text : line[1..MaxFailureText].Trim();
            }
        }
        await process.WaitForExitAsync().ConfigureAwait(false);
        var isSuccess = process.ExitCode == ExitCode.Done;
        if (_isApproved)
        {
            TryNoteEnd();
        }
        _url.TrySetResult(null);
        _completion.TrySetResult(isSuccess ? null : _failure ?? $"it ended with exit code {process.ExitCode}");
        process.Dispose();
    }

    private void TryNoteEnd()
    {
        try
        {
            note.End();
        }
        catch (McpAuthException)
        {
            // Other relays then wait until their time limit.
        }
    }

    private static bool IsUrl(string line) => line.StartsWith("https://", StringComparison.Ordinal) || line.StartsWith("http://", StringComparison.Ordinal);
}
