namespace McpSm.Core.Errors.Steps;

/// <summary>Removes the identity provider from the settings.</summary>
internal sealed record RemoveIdentityProviderStep : NextStep
{
    protected override string Describe => "remove the identity provider";
}
