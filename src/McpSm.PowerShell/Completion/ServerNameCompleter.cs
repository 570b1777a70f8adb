using McpSm.Core.Management;

namespace McpSm.PowerShell.Completion;

/// <summary>Completes servers.</summary>
public sealed class ServerNameCompleter : ArgumentCompleterBase
{
    private protected override IEnumerable<(string Name, CompletionCandidate Known)> Names(CompletionCandidates known) =>
        known.Servers(plain: false).SelectMany(s => new[] { (s.Server.Name, s.Known), (s.Server.Id, s.Known) });
}
