namespace McpSm.Core.Errors.Steps;

/// <summary>Removes the identity provider from the settings.</summary>
public sealed record RemoveIdentityProviderStep : NextStep
{
    protected override string Describe => "remove the identity provider";
}
