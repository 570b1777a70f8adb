using McpSm.Core.Discovery;

namespace McpSm.Core.SignIn;

/// <summary>What a server refused a request with, which a sign-in is to answer.</summary>
/// <param name="Prior">The scopes held so far, to be asked for again along with those the challenge names (rule 24 of docs/rules.md).</param>
internal sealed record RefusedRequest(ChallengeResponse Answer, IReadOnlyList<string> Prior);
