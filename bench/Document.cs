namespace McpSm.Bench;

internal sealed record Document(string Machine, int Runs, IReadOnlyList<Comparison> Comparisons, IReadOnlyList<Peak> Peaks, IReadOnlyList<Count> Counts,
    IReadOnlyList<HotPath> Paths, IReadOnlyList<Missing> NotMeasured);
