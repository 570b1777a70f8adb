namespace McpSm.Core.Errors.Steps;

/// <summary>The server that a step refers to.</summary>
/// <param name="Id">The id of the server; empty if it is not known.</param>
/// <param name="Name">The name as tables show it.</param>
public readonly record struct ServerReference(string Id, string Name)
{
    /// <summary>A server that only the user knows.</summary>
    public static ServerReference Unknown { get; } = new("", "");

    public override string ToString() => Id.Length == 0 ? "the server" : $"'{UntrustedText.Sanitize(Name)}'";
}
