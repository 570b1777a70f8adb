using McpSm.Core.Management;

namespace McpSm.PowerShell.Completion;

/// <summary>Completes identity providers.</summary>
public sealed class IdentityProviderCompleter : ArgumentCompleterBase
{
    private protected override IEnumerable<(string Name, CompletionCandidate Candidate)> Names(CompletionCandidates candidates) =>
        ByText(candidates.IdentityProviders());
}
