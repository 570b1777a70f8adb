using McpSm.Core.Configuration;

namespace McpSm.Core.Interaction;

/// <summary>Tells whether a person can answer questions.</summary>
public static class Interactivity
{
    /// <param name="refused">The option that says so: it wins over all else.</param>
    /// <param name="hostForbids">The host was started to ask nothing, as pwsh is with <c>-NonInteractive</c>.</param>
    public static bool CanAnswer(AppEnvironment environment, bool refused, bool hostForbids = false) => !refused && environment.Variable("MCPSM_INTERACTIVE") switch
    {
        "1" or "true" => true,
        "0" or "false" => false,
        _ => !hostForbids && environment.Variable("CI") is null or "0" or "false",
    };
}
