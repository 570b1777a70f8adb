namespace McpSm.Core.Errors.Steps;

/// <summary>Prints the token of a server.</summary>
internal sealed record ReadTokenStep(ServerReference Server) : NextStep
{
    /// <summary>Whether to print it as the header of one request, with a proof if the token is bound to a key (RFC 9449).</summary>
    public bool AsHeader { get; init; }

    protected override string Describe => $"print the token of {Server}";
}
