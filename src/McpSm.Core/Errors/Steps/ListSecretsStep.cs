namespace McpSm.Core.Errors.Steps;

/// <summary>Lists the secrets in SecretManagement.</summary>
internal sealed record ListSecretsStep : NextStep
{
    protected override string Describe => "list the secrets";
}
