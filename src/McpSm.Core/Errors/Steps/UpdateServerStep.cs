namespace McpSm.Core.Errors.Steps;

/// <summary>Changes the settings of a server.</summary>
internal sealed record UpdateServerStep(ServerReference Server) : NextStep
{
    public UpdateServerStep(ServerReference server, params IReadOnlyList<StepOption> options) : this(server) => Options = options;

    protected override string Describe => $"change the settings of {Server}";
}
