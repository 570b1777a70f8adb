namespace McpSm.Core.Errors.Steps;

/// <summary>Lists the servers.</summary>
internal sealed record ListServersStep : NextStep
{
    protected override string Describe => "list the servers";
}
