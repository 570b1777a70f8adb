namespace McpSm.Core.Vaults;

/// <summary>A vault of this system, as people are told of it.</summary>
public sealed class McpVault
{
    internal McpVault(string name, bool isInUse, string? why, string protection)
    {
        Name = name;
        InUse = isInUse;
        Why = why;
        Protection = protection;
    }

    public string Name { get; }

    /// <summary>Whether what is kept next goes there.</summary>
    public bool InUse { get; }

    /// <summary>Why it is in use; null if it is not.</summary>
    public string? Why { get; }

    /// <summary>How it protects what it keeps.</summary>
    public string Protection { get; }

    /// <summary>The name.</summary>
    public override string ToString() => Name;
}
