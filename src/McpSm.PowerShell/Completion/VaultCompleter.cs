using McpSm.Core.Management;

namespace McpSm.PowerShell.Completion;

/// <summary>Completes vaults.</summary>
public sealed class VaultCompleter : ArgumentCompleterBase
{
    private protected override IEnumerable<(string Name, CompletionCandidate Candidate)> Names(CompletionCandidates candidates) => ByText(candidates.Vaults());
}
