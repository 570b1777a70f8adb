using McpSm.Core.Management;

namespace McpSm.PowerShell.Completion;

/// <summary>Completes the names of settings.</summary>
public sealed class SettingCompleter : ArgumentCompleterBase
{
    private protected override IEnumerable<(string Name, CompletionCandidate Candidate)> Names(CompletionCandidates candidates) =>
        ByText(CompletionCandidates.Settings());
}
