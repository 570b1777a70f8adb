using System.Collections.ObjectModel;

namespace McpSm.Core.Discovery;

/// <summary>Scopes that read as the wire writes them, so that a table or a file of values shows them and not a type's name.</summary>
internal sealed class ScopeList : ReadOnlyCollection<string>
{
    private ScopeList(IList<string> scopes) : base(scopes)
    {
    }

    public static ScopeList None { get; } = new([]);

    public static ScopeList Create(IReadOnlyList<string> scopes) => scopes as ScopeList ?? (scopes.Count == 0 ? None : new([.. scopes]));

    public override string ToString() => Scopes.Join(this);
}
