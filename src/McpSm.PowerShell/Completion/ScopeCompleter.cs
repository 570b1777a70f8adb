using McpSm.Core.Management;

namespace McpSm.PowerShell.Completion;

/// <summary>Completes scopes.</summary>
public sealed class ScopeCompleter : ArgumentCompleterBase
{
    private protected override IEnumerable<(string Name, CompletionCandidate Candidate)> Names(CompletionCandidates candidates) => ByText(candidates.Scopes());
}
