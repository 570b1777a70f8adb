using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using McpSm.Core.Configuration;
using McpSm.Core.Management;

namespace McpSm.PowerShell.Completion;

/// <summary>Completes names from what is on disk.</summary>
public abstract class ArgumentCompleterBase : IArgumentCompleter
{
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete,
        CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var word = wordToComplete.Trim('\'', '"');
        return Names(new CompletionCandidates(new AppEnvironment()))
            .Where(n => n.Name.StartsWith(word, StringComparison.OrdinalIgnoreCase)).Select(n => n.Known).Distinct()
            .Select(n => new CompletionResult(Quoted(n.Value), n.Value, CompletionResultType.ParameterValue, n.ToolTip));
    }

    /// <summary>What there is, with each of the names it is found by.</summary>
    private protected abstract IEnumerable<(string Name, CompletionCandidate Known)> Names(CompletionCandidates known);

    private protected static IEnumerable<(string, CompletionCandidate)> ByText(IEnumerable<CompletionCandidate> names) => names.Select(n => (n.Value, n));

    private static string Quoted(string name) => name.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '/') && name[0] != '-'
        ? name : $"'{CodeGeneration.EscapeSingleQuotedStringContent(name)}'";
}
