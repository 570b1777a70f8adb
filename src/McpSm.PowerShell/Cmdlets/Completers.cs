using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using McpSm.Core;
using McpSm.Core.Files;

namespace McpSm.PowerShell.Cmdlets;

/// <summary>Completes names from what is on disk.</summary>
public abstract class KnownNameCompleter : IArgumentCompleter
{
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete,
        CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var word = wordToComplete.Trim('\'', '"');
        return Names(new KnownNames(new Home()))
            .Where(n => n.Name.StartsWith(word, StringComparison.OrdinalIgnoreCase)).Select(n => n.Known).Distinct()
            .Select(n => new CompletionResult(Quoted(n.Text), n.Text, CompletionResultType.ParameterValue, n.About));
    }

    /// <summary>What there is, with each of the names it is found by.</summary>
    private protected abstract IEnumerable<(string Name, KnownName Known)> Names(KnownNames known);

    private protected static IEnumerable<(string, KnownName)> ByText(IEnumerable<KnownName> names) => names.Select(n => (n.Text, n));

    private static string Quoted(string name) => name.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '/') && name[0] != '-'
        ? name : $"'{CodeGeneration.EscapeSingleQuotedStringContent(name)}'";
}

/// <summary>Completes servers.</summary>
public sealed class ServerNameCompleter : KnownNameCompleter
{
    private protected override IEnumerable<(string Name, KnownName Known)> Names(KnownNames known) =>
        known.Servers(plain: false).SelectMany(s => new[] { (s.Server.Name, s.Known), (s.Server.Id, s.Known) });
}

/// <summary>Completes vaults.</summary>
public sealed class VaultCompleter : KnownNameCompleter
{
    private protected override IEnumerable<(string Name, KnownName Known)> Names(KnownNames known) => ByText(known.Vaults());
}

/// <summary>Completes issuers.</summary>
public sealed class IssuerCompleter : KnownNameCompleter
{
    private protected override IEnumerable<(string Name, KnownName Known)> Names(KnownNames known) => ByText(known.Issuers());
}

/// <summary>Completes identity providers.</summary>
public sealed class IdentityProviderCompleter : KnownNameCompleter
{
    private protected override IEnumerable<(string Name, KnownName Known)> Names(KnownNames known) => ByText(known.IdentityProviders());
}

/// <summary>Completes names of environment variables.</summary>
public sealed class VariableCompleter : KnownNameCompleter
{
    private protected override IEnumerable<(string Name, KnownName Known)> Names(KnownNames known) => ByText(KnownNames.Variables());
}

/// <summary>Completes scopes.</summary>
public sealed class ScopeCompleter : KnownNameCompleter
{
    private protected override IEnumerable<(string Name, KnownName Known)> Names(KnownNames known) => ByText(known.Scopes());
}
