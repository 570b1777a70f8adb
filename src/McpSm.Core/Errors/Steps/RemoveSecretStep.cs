namespace McpSm.Core.Errors.Steps;

/// <summary>Removes a secret that another tool stored in SecretManagement.</summary>
internal sealed record RemoveSecretStep(string Name) : NextStep
{
    protected override string Describe => $"remove the secret '{UntrustedText.Sanitize(Name)}'";
}
