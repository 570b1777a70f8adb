using McpSm.Core.Management;

namespace McpSm.PowerShell.Completion;

/// <summary>Completes the names and ids of servers.</summary>
public sealed class ServerNameCompleter : ArgumentCompleterBase
{
    private protected override IEnumerable<(string Name, CompletionCandidate Candidate)> Names(CompletionCandidates candidates) =>
        candidates.Servers(plain: false).SelectMany(s => new[] { (s.Server.Name, s.Known), (s.Server.Id, s.Known) });
}
