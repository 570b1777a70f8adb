namespace McpSm.Core.Errors.Steps;

/// <summary>Sets the identity provider or its client.</summary>
/// <param name="Issuer">The issuer identifier; null if the user chooses it.</param>
internal sealed record UseIdentityProviderStep(string? Issuer = null) : NextStep
{
    public UseIdentityProviderStep(string? issuer, params IReadOnlyList<StepOption> options) : this(issuer) => Options = options;

    protected override string Describe => "set the identity provider";
}
