using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using McpSm.Core.Configuration;
using McpSm.Core.Management;

namespace McpSm.PowerShell.Completion;

/// <summary>Completes names from the files in the configuration folder, without the network and without opening a vault.</summary>
public abstract class ArgumentCompleterBase : IArgumentCompleter
{
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete,
        CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var word = wordToComplete.Trim('\'', '"');
        return Names(new CompletionCandidates(new AppEnvironment()))
            .Where(n => n.Name.StartsWith(word, StringComparison.OrdinalIgnoreCase)).Select(n => n.Candidate).Distinct()
            .Select(c => new CompletionResult(Quote(c.Value), c.Value, CompletionResultType.ParameterValue, c.ToolTip));
    }

    /// <summary>Returns the candidates. A candidate that can be found by several names is returned once for each.</summary>
    private protected abstract IEnumerable<(string Name, CompletionCandidate Candidate)> Names(CompletionCandidates candidates);

    private protected static IEnumerable<(string, CompletionCandidate)> ByText(IEnumerable<CompletionCandidate> candidates) =>
        candidates.Select(c => (c.Value, c));

    private static string Quote(string name) => name.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '/') && name[0] != '-'
        ? name : $"'{CodeGeneration.EscapeSingleQuotedStringContent(name)}'";
}
