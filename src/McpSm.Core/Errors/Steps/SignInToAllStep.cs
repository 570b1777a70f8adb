namespace McpSm.Core.Errors.Steps;

/// <summary>Signs in to every server that needs it.</summary>
internal sealed record SignInToAllStep : NextStep
{
    protected override string Describe => "sign in to all servers";
}
