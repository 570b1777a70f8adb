namespace McpSm.Bench;

/// <summary>One comparison: what ours took against what another took, and what it may take.</summary>
/// <param name="AtMost">The target: the greatest ratio; null where the row only tells.</param>
internal sealed record Comparison(string Work, Sample Ours, Sample Other, double? AtMost)
{
    public double Ratio => Ours.Median / Other.Median;

    public bool? Met => AtMost is { } most ? Ratio <= most : null;
}
