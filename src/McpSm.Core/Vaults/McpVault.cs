namespace McpSm.Core.Vaults;

/// <summary>A vault of this system, as it is shown to the user.</summary>
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

    /// <summary>Whether new credentials are stored in this vault.</summary>
    public bool InUse { get; }

    /// <summary>Why the vault is in use; null if it is not.</summary>
    public string? Why { get; }

    /// <summary>How the vault protects its items.</summary>
    public string Protection { get; }

    /// <summary>Returns the name.</summary>
    public override string ToString() => Name;
}
