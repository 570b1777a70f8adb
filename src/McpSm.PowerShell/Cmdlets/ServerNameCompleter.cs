using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Servers;

namespace McpSm.PowerShell.Cmdlets;

/// <summary>Completes servers from the catalog alone.</summary>
public sealed class ServerNameCompleter : IArgumentCompleter
{
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete,
        CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var word = wordToComplete.Trim('\'', '"');
        IReadOnlyList<McpServer> servers;
        try
        {
            servers = new ServerCatalog(new Home()).List();
        }
        catch (McpAuthException)
        {
            // A key press is no place for an error; the command itself reports what is wrong with the catalog.
            return [];
        }
        return servers.Where(s => s.Name.StartsWith(word, StringComparison.OrdinalIgnoreCase) || s.Id.StartsWith(word, StringComparison.OrdinalIgnoreCase))
            .Select(s => new CompletionResult(Quoted(s.Name), s.Name, CompletionResultType.ParameterValue, ForeignText.Clean($"{s.Name}: {s.Url}")));
    }

    private static string Quoted(string name) => name.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.')
        ? name : $"'{CodeGeneration.EscapeSingleQuotedStringContent(name)}'";
}
