using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace McpSm.Bench.Relay;

/// <summary>A client that starts a relay as its child, and sends lines to it.</summary>
internal sealed class RelayProcess : IMcpConnection
{
    private readonly Process _process;
    private readonly Stream _input;

    private RelayProcess(Process process)
    {
        _process = process;
        _input = process.StandardInput.BaseStream;
        // A full pipe would stop the relay.
        _ = process.StandardError.ReadToEndAsync();
    }

    /// <summary>The peak resident memory in bytes.</summary>
    public long Peak
    {
        get
        {
            _process.Refresh();
            return _process.PeakWorkingSet64;
        }
    }

    public static RelayProcess Start(MeasuredProgram program) => new(program.Start());

    public async Task SendAsync(string message)
    {
        await _input.WriteAsync(Encoding.UTF8.GetBytes(message + "\n"));
        await _input.FlushAsync();
    }

    public async Task<string> AskAsync(string message)
    {
        await SendAsync(message);
        return await ReadAsync();
    }

    public async Task AskAllAsync(IReadOnlyList<string> messages)
    {
        var sending = SendAsync(string.Join('\n', messages));
        for (var i = 0; i < messages.Count; i++)
        {
            await ReadAsync();
        }
        await sending;
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        try
        {
            await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(5));
        }
        catch (TimeoutException)
        {
            _process.Kill(entireProcessTree: true);
        }
        _process.Dispose();
    }

    /// <exception cref="InvalidOperationException">The relay ended, or answered with an error. A fast failure must not count as a fast answer.</exception>
    private async Task<string> ReadAsync()
    {
        var line = await _process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return line?.Contains("\"result\"", StringComparison.Ordinal) == true ? line
            : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"'{_process.StartInfo.FileName}' answered: {line}"));
    }
}
