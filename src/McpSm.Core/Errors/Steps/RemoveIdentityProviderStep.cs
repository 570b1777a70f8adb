namespace McpSm.Core.Errors.Steps;

/// <summary>Uses no identity provider any more.</summary>
public sealed record RemoveIdentityProviderStep : NextStep
{
    protected override string Describe => "use no identity provider";
}
