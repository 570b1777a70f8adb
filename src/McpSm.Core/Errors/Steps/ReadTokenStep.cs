namespace McpSm.Core.Errors.Steps;

/// <summary>Reads a server's token.</summary>
public sealed record ReadTokenStep(ServerReference Server) : NextStep
{
    /// <summary>Whether to read it as the header of one request, with a proof if the token is bound to a key (RFC 9449).</summary>
    public bool AsHeader { get; init; }

    protected override string Describe => $"read the token of {Server}";
}
