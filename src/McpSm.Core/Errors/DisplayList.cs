using System.Collections.ObjectModel;

namespace McpSm.Core.Errors;

/// <summary>Names that read as a person writes them, so that a file of values shows them and not a type's name.</summary>
internal sealed class DisplayList(IList<string> names) : ReadOnlyCollection<string>(names)
{
    public static DisplayList None { get; } = new([]);

    public override string ToString() => string.Join(", ", this);
}
