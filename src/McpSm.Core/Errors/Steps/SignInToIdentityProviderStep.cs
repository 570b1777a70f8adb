namespace McpSm.Core.Errors.Steps;

/// <summary>Signs in to the configured identity provider.</summary>
internal sealed record SignInToIdentityProviderStep : NextStep
{
    protected override string Describe => "sign in to the identity provider";
}
