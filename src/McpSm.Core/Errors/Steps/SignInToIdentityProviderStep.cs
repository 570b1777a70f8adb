namespace McpSm.Core.Errors.Steps;

/// <summary>Signs in at the identity provider that is set.</summary>
public sealed record SignInToIdentityProviderStep : NextStep
{
    protected override string Describe => "sign in at the identity provider";
}
