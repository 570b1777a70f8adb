namespace McpSm.Core.Errors.Steps;

/// <summary>Adds a server.</summary>
/// <param name="Url">Its URL; null if it is not known, or may hold a secret.</param>
public sealed record AddServerStep(string? Url = null) : NextStep
{
    protected override string Describe => "add the server";
}
