using System.Diagnostics;
using System.Globalization;

namespace McpSm.Bench;

/// <summary>A program with its arguments, and the variables it runs under.</summary>
internal sealed record Line(string Name, string Program, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Variables)
{
    /// <summary>What somebody does with a line that it prints; null where nobody looks.</summary>
    public Func<string, Task>? Follow { get; init; }

    /// <summary>What must be put right before each run, outside the time.</summary>
    public Action? Before { get; init; }

    /// <summary>Whether the program measures a part of itself, and prints the milliseconds as its last line.</summary>
    public bool TellsItsTime { get; init; }

    /// <summary>Runs it to its end.</summary>
    /// <returns>How long it took, from before it is started until it has ended and all its output is read; or what it told.</returns>
    /// <exception cref="InvalidOperationException">It failed: what fails fast must not count as fast.</exception>
    public async Task<TimeSpan> RunAsync()
    {
        Before?.Invoke();
        var begin = Stopwatch.GetTimestamp();
        using var process = Start();
        var tail = await ReadAsync(process);
        await process.WaitForExitAsync();
        var taken = Stopwatch.GetElapsedTime(begin);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"'{Name}' ended with exit code {process.ExitCode}: {string.Join(" | ", tail)}");
        }
        return TellsItsTime ? TimeSpan.FromMilliseconds(double.Parse(tail.Last(), CultureInfo.InvariantCulture)) : taken;
    }

    /// <summary>The most memory that was resident, in bytes; asked all the time, which is why this run is not timed.</summary>
    public async Task<long> PeakAsync()
    {
        Before?.Invoke();
        using var process = Start();
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
            // It ended between the question and the answer.
        }
        await reading;
        return most;
    }

    private Process Start()
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
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    /// <returns>The last lines, to say why it failed.</returns>
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
