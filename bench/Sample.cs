namespace McpSm.Bench;

/// <summary>The times of one program.</summary>
internal sealed record Sample(string Name, IReadOnlyList<double> Milliseconds)
{
    public double Median { get; } = MedianOf(Milliseconds);

    public double Least => Milliseconds.Min();

    public double Most => Milliseconds.Max();

    private static double MedianOf(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        var half = sorted.Count / 2;
        return sorted.Count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }
}
