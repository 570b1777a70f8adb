using System.Collections.ObjectModel;

namespace McpSm.Core.Errors;

/// <summary>A list of names whose text is the names joined with commas, so that PowerShell shows them when it formats an object.</summary>
internal sealed class DisplayList(IList<string> names) : ReadOnlyCollection<string>(names)
{
    public static DisplayList None { get; } = new([]);

    public static DisplayList Create(IReadOnlyList<string> names) => names as DisplayList ?? (names.Count == 0 ? None : new([.. names]));

    public override string ToString() => string.Join(", ", this);
}
