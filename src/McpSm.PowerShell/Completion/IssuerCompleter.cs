using McpSm.Core.Management;

namespace McpSm.PowerShell.Completion;

/// <summary>Completes issuers.</summary>
public sealed class IssuerCompleter : ArgumentCompleterBase
{
    private protected override IEnumerable<(string Name, CompletionCandidate Candidate)> Names(CompletionCandidates candidates) => ByText(candidates.Issuers());
}
