namespace McpSm.Core.Errors.Steps;

/// <summary>Adds a server.</summary>
/// <param name="Url">The URL of the server; null if it is not known, or may contain a secret.</param>
internal sealed record AddServerStep(string? Url = null) : NextStep
{
    protected override string Describe => "add the server";
}
