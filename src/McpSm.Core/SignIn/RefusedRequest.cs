using McpSm.Core.Discovery;

namespace McpSm.Core.SignIn;

/// <summary>The refusal of a request, which a sign-in is to correct.</summary>
/// <param name="Answer">The response of the server.</param>
/// <param name="Prior">The present scopes, which the sign-in requests again together with those of the challenge (rule 24 of docs/rules.md).</param>
internal sealed record RefusedRequest(ChallengeResponse Answer, IReadOnlyList<string> Prior);
