using McpSm.Core.Management;

namespace McpSm.PowerShell.Completion;

/// <summary>Completes the names of environment variables.</summary>
public sealed class VariableCompleter : ArgumentCompleterBase
{
    private protected override IEnumerable<(string Name, CompletionCandidate Candidate)> Names(CompletionCandidates candidates) =>
        ByText(candidates.Variables());
}
