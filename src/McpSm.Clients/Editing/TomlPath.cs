using System.Globalization;

namespace McpSm.Clients.Editing;

/// <summary>A path in a TOML document: keys, and indexes of arrays.</summary>
internal sealed class TomlPath(IReadOnlyList<string> steps)
{
    // A key can have this prefix only as an escape sequence.
    private const string IndexMark = "\0#";

    public static TomlPath Root { get; } = new([]);

    public int Length => steps.Count;

    /// <summary>The keys alone, as a header of a table has them.</summary>
    public IEnumerable<string> Keys => steps.Where(s => !s.StartsWith(IndexMark, StringComparison.Ordinal));

    public TomlPath Add(string key) => new([.. steps, key]);

    public TomlPath Add(int index) => Add(IndexMark + index.ToString(CultureInfo.InvariantCulture));

    /// <summary>Returns the steps after a path that this one starts with.</summary>
    public TomlPath After(TomlPath start) => new([.. steps.Skip(start.Length)]);

    public bool StartsWith(TomlPath start) => steps.Take(start.Length).SequenceEqual(start.Steps);

    public bool Is(TomlPath other) => Length == other.Length && StartsWith(other);

    private IReadOnlyList<string> Steps => steps;
}
