namespace McpSm.Core.Vaults;

/// <summary>A vault of this system, as people are told of it.</summary>
/// <param name="InUse">Whether what is kept next goes there.</param>
/// <param name="Why">Why it is in use; null where it is not.</param>
/// <param name="Protection">How it protects what it keeps.</param>
public sealed record McpVault(string Name, bool InUse, string? Why, string Protection)
{
    /// <summary>The name.</summary>
    public override string ToString() => Name;
}
