namespace McpSm.Core.Errors.Steps;

/// <summary>A server that a step is about.</summary>
/// <param name="Id">Its id; empty if the server is not known.</param>
/// <param name="Name">The name that tables show.</param>
public readonly record struct ServerReference(string Id, string Name)
{
    /// <summary>A server that the user knows.</summary>
    public static ServerReference Unknown { get; } = new("", "");

    public override string ToString() => Id.Length == 0 ? "the server" : $"'{UntrustedText.Sanitize(Name)}'";
}
