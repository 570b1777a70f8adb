using System.Collections.ObjectModel;

namespace McpSm.Core.Discovery;

/// <summary>A list of scopes whose text is the scopes joined with spaces, so that PowerShell shows them when it formats an object.</summary>
internal sealed class ScopeList : ReadOnlyCollection<string>
{
    private ScopeList(IList<string> scopes) : base(scopes)
    {
    }

    public static ScopeList None { get; } = new([]);

    public static ScopeList Create(IReadOnlyList<string> scopes) => scopes as ScopeList ?? (scopes.Count == 0 ? None : new([.. scopes]));

    public override string ToString() => Scopes.Join(this);
}
