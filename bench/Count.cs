namespace McpSm.Bench;

/// <summary>A number that is the same in every run.</summary>
/// <param name="AtMost">The target; null if the row has none.</param>
internal sealed record Count(string Work, string Program, int Number, int? AtMost)
{
    public bool? Met => AtMost is { } most ? Number <= most : null;
}
