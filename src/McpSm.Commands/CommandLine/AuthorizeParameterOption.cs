using System.CommandLine;
using System.CommandLine.Completions;
using McpSm.Core.Errors;

namespace McpSm.Commands.CommandLine;

/// <summary><c>--authorize-param key=value</c>, which adds a parameter to the authorization URL.</summary>
internal static class AuthorizeParameterOption
{
    private const string Name = "--authorize-param";

    // Parameters that public issuers document, for completion.
    private static readonly string[] Suggestions =
        ["access_type=offline", "prompt=consent", "prompt=login", "prompt=select_account", "login_hint=", "audience=", "domain_hint=", "kc_idp_hint="];

    /// <param name="description">What the option does, for the help.</param>
    /// <param name="helpName">The form of a value, for the help. A short one leaves more room for the descriptions of a command's options.</param>
    public static Option<string[]> Create(string description, string helpName = "key=value")
    {
        var option = new Option<string[]>(Name) { Description = description, HelpName = helpName };
        option.CompletionSources.Add(_ => Suggestions.Select(parameter => new CompletionItem(parameter)));
        return option;
    }

    /// <summary>Returns the parameters, or null if the option is absent. A single empty value removes all parameters: the result is empty.</summary>
    /// <exception cref="McpAuthException">InvalidValue: a parameter has no name or no equals sign.</exception>
    public static IReadOnlyDictionary<string, string>? Read(ParseResult parsed, Option<string[]> option)
    {
        if (parsed.GetResult(option) is null or { Implicit: true })
        {
            return null;
        }
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var given in parsed.GetValue(option)!)
        {
            var at = given.IndexOf('=');
            if (at <= 0 && given.Length > 0)
            {
                throw new McpAuthException(ErrorReason.InvalidValue, $"{Name} must be key=value, such as access_type=offline.");
            }
            if (at > 0)
            {
                parameters[given[..at]] = given[(at + 1)..];
            }
        }
        return parameters;
    }
}
