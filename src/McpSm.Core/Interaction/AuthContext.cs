using McpSm.Core.Configuration;

namespace McpSm.Core.Interaction;

/// <summary>What every sign-in needs: the environment, the user, and who follows its steps.</summary>
/// <param name="Environment">The configuration folder, the variables and the clock.</param>
/// <param name="Interaction">Asks and informs the user.</param>
/// <param name="Progress">Receives each step, and never a secret; null to report none.</param>
internal sealed record AuthContext(AppEnvironment Environment, IAuthInteraction Interaction, IProgress<string>? Progress);
