using System.Globalization;
using System.Text.Json;

namespace McpSm.Bench;

/// <summary>The results, as a table or as JSON.</summary>
internal sealed class Report(Options options)
{
    private readonly List<Comparison> _comparisons = [];
    private readonly List<Peak> _peaks = [];
    private readonly List<Count> _counts = [];
    private readonly List<HotPath> _paths = [];
    private readonly List<Missing> _missing = [];

    public int Runs => options.Runs;

    public bool Wants(string work) => options.Only is null || work.Contains(options.Only, StringComparison.OrdinalIgnoreCase);

    /// <summary>Runs the programs alternately, so that other load on the machine affects all of them.</summary>
    public Task CompareAsync(string work, MeasuredProgram ours, params (MeasuredProgram? Other, double? AtMost)[] others) =>
        CompareAsync(work, options.Runs, ours, others);

    /// <param name="runs">The number of runs; null for the default. Lower for runs of half a minute.</param>
    public async Task CompareAsync(string work, int runs, MeasuredProgram ours, params (MeasuredProgram? Other, double? AtMost)[] others)
    {
        if (!Wants(work))
        {
            return;
        }
        var lines = others.Where(o => o.Other is not null).Select(o => o.Other!).Prepend(ours).ToList();
        var times = lines.Select(_ => new List<double>()).ToList();
        Say($"{work} …");
        // The first run of each program fills the disk cache and is discarded.
        for (var run = -1; run < runs; run++)
        {
            for (var i = 0; i < lines.Count; i++)
            {
                var taken = await lines[i].RunAsync();
                if (run >= 0)
                {
                    times[i].Add(taken.TotalMilliseconds);
                }
            }
        }
        var samples = lines.Select((line, i) => new Sample(line.Name, times[i])).ToList();
        _comparisons.AddRange(others.Where(o => o.Other is not null)
            .Select((o, i) => new Comparison(work, samples[0], samples[i + 1], o.AtMost)));
    }

    public async Task PeakAsync(string work, MeasuredProgram line, long? atMost = null)
    {
        if (Wants(work))
        {
            // The maximum of several runs, because the last poll of a run can be a moment before its peak.
            var peaks = new List<long>();
            for (var run = 0; run < 3; run++)
            {
                peaks.Add(await line.PeakAsync());
            }
            _peaks.Add(new Peak(work, line.Name, peaks.Max(), atMost));
        }
    }

    public void Add(HotPath path) => _paths.Add(path);

    public void Add(Comparison comparison) => _comparisons.Add(comparison);

    public void Add(Peak peak) => _peaks.Add(peak);

    public void Add(Count count) => _counts.Add(count);

    public void Miss(string work, string why)
    {
        if (Wants(work))
        {
            _missing.Add(new Missing(work, why));
        }
    }

    /// <summary>Prints progress to standard error. Standard output is for the table.</summary>
    public void Say(string text) => Console.Error.WriteLine(text);

    public void Print()
    {
        var machine = $"{Environment.ProcessorCount} cores, {System.Runtime.InteropServices.RuntimeInformation.OSDescription}, {Noise()}";
        if (options.Json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new Document(machine, options.Runs, _comparisons, _peaks, _counts, _paths, _missing),
                ReportJson.Default.Document));
            return;
        }
        Console.WriteLine($"Medians of {options.Runs} alternating runs, with the minimum and maximum; {machine}.");
        Table("| work | mcpsm, ms | against | ms | ratio | at most | |", _comparisons.Select(c => Row(c.Work, Times(c.Ours), c.Other.Name, Times(c.Other),
            Text(c.Ratio, "0.000"), c.AtMost is { } most ? Text(most, "0.0##") + " ×" : "", Word(c.Met))));
        Table("| peak memory of | program | MB | at most | |", _peaks.Select(p => Row(p.Work, p.Program, Megabytes(p.Bytes),
            p.AtMost is { } most ? Megabytes(most) : "", Word(p.Met))));
        Table("| number of | program | number | at most | |",
            _counts.Select(c => Row(c.Work, c.Program, $"{c.Number}", $"{c.AtMost}", Word(c.Met))));
        Table("| path in the process | time, µs | allocated, kB |", _paths.Select(p =>
            Row(p.Path, Text(p.Nanoseconds / 1000, "0.0"), Text(p.AllocatedBytes / 1000.0, "0.0"))));
        Table("| not measured | reason |", _missing.Select(m => Row(m.Work, m.Why)));
    }

    /// <summary>Returns how much the times of a program vary.</summary>
    private string Noise() => _comparisons.Count == 0 ? "" : "noise: the slowest run of a program takes "
        + Text(_comparisons.SelectMany(c => new[] { c.Ours, c.Other }).Average(s => s.Most / s.Median), "0.00") + " × its median on average";

    private static void Table(string head, IEnumerable<string> rows)
    {
        var lines = rows.ToList();
        if (lines.Count > 0)
        {
            Console.WriteLine();
            Console.WriteLine(head);
            Console.WriteLine(string.Concat(Enumerable.Repeat("|---", head.Count(c => c == '|') - 1)) + "|");
            lines.ForEach(Console.WriteLine);
        }
    }

    private static string Row(params string[] cells) => $"| {string.Join(" | ", cells)} |";

    private static string Times(Sample sample) => $"{Text(sample.Median, "0.0")} ({Text(sample.Least, "0.0")}–{Text(sample.Most, "0.0")})";

    private static string Megabytes(long bytes) => Text(bytes / 1e6, "0.0");

    private static string Word(bool? met) => met switch { true => "met", false => "**not met**", null => "" };

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
