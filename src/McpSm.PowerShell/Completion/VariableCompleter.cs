using McpSm.Core.Management;

namespace McpSm.PowerShell.Completion;

/// <summary>Completes names of environment variables.</summary>
public sealed class VariableCompleter : ArgumentCompleterBase
{
    private protected override IEnumerable<(string Name, CompletionCandidate Known)> Names(CompletionCandidates known) => ByText(CompletionCandidates.Variables());
}
