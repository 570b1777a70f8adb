namespace McpSm.Bench;

/// <summary>A comparison of the times of <c>mcpsm</c> and another program, with a target.</summary>
/// <param name="AtMost">The target, the greatest allowed ratio; null if the row has no target.</param>
internal sealed record Comparison(string Work, Sample Ours, Sample Other, double? AtMost)
{
    public double Ratio => Ours.Median / Other.Median;

    public bool? Met => AtMost is { } most ? Ratio <= most : null;
}
