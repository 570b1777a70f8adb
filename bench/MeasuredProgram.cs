using System.Diagnostics;
using System.Globalization;

namespace McpSm.Bench;

/// <summary>A program with its arguments and environment variables.</summary>
internal sealed record MeasuredProgram(string Name, string Program, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Variables)
{
    /// <summary>Handles a printed line; null if the output is ignored.</summary>
    public Func<string, Task>? Follow { get; init; }

    /// <summary>Prepares a run, outside the measured time.</summary>
    public Action? Before { get; init; }

    /// <summary>The text for standard input; null for none.</summary>
    public string? Input { get; init; }

    /// <summary>Whether the program measures itself and prints the milliseconds as its last line.</summary>
    public bool TellsItsTime { get; init; }

    /// <summary>Runs the program and measures it.</summary>
    /// <returns>The time from the start until the program has ended and its output is read, or the time that it printed.</returns>
    /// <exception cref="InvalidOperationException">The program failed. A fast failure must not count as a fast run.</exception>
    public async Task<TimeSpan> RunAsync()
    {
        Before?.Invoke();
        var begin = Stopwatch.GetTimestamp();
        using var process = Start();
        await EndInputAsync(process);
        var tail = await ReadAsync(process);
        await process.WaitForExitAsync();
        var taken = Stopwatch.GetElapsedTime(begin);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"'{Name}' ended with exit code {process.ExitCode}: {string.Join(" | ", tail)}");
        }
        return TellsItsTime ? TimeSpan.FromMilliseconds(double.Parse(tail.Last(), CultureInfo.InvariantCulture)) : taken;
    }

    /// <summary>Returns the peak resident memory in bytes. The run is not timed, because it polls all the time.</summary>
    public async Task<long> PeakAsync()
    {
        Before?.Invoke();
        using var process = Start();
        await EndInputAsync(process);
        var reading = ReadAsync(process);
        var most = 0L;
        try
        {
            while (!process.HasExited)
            {
                process.Refresh();
                most = Math.Max(most, process.PeakWorkingSet64);
            }
        }
        catch (InvalidOperationException)
        {
            // The process ended during the poll.
        }
        await reading;
        return most;
    }

    /// <summary>Starts the program with open standard streams.</summary>
    public Process Start()
    {
        var start = new ProcessStartInfo(Program, Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var name in start.Environment.Keys.Where(n => n.StartsWith("MCP", StringComparison.Ordinal) || n is "CI" or "DISPLAY").ToList())
        {
            start.Environment.Remove(name);
        }
        foreach (var (name, value) in Variables)
        {
            start.Environment[name] = value;
        }
        return Process.Start(start)!;
    }

    private async Task EndInputAsync(Process process)
    {
        await process.StandardInput.WriteAsync(Input);
        process.StandardInput.Close();
    }

    /// <returns>The last lines, for the message of a failure.</returns>
    private async Task<IEnumerable<string>> ReadAsync(Process process)
    {
        var tail = new Queue<string>();
        async Task ReadToEndAsync(StreamReader reader)
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                lock (tail)
                {
                    tail.Enqueue(line);
                    if (tail.Count > 5)
                    {
                        tail.Dequeue();
                    }
                }
                if (Follow is not null)
                {
                    await Follow(line);
                }
            }
        }
        await Task.WhenAll(ReadToEndAsync(process.StandardOutput), ReadToEndAsync(process.StandardError));
        return tail;
    }
}
