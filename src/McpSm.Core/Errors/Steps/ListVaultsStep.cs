namespace McpSm.Core.Errors.Steps;

/// <summary>Lists the vaults.</summary>
internal sealed record ListVaultsStep : NextStep
{
    protected override string Describe => "list the vaults";
}
