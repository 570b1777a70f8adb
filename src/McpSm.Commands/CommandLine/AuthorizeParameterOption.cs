using System.CommandLine;
using System.CommandLine.Completions;
using McpSm.Core.Errors;

namespace McpSm.Commands.CommandLine;

/// <summary><c>--authorize-param key=value</c>, which adds to the URL that a person signs in at.</summary>
internal static class AuthorizeParameterOption
{
    private const string Name = "--authorize-param";

    // Those that public issuers document, to complete from.
    private static readonly string[] Known =
        ["access_type=offline", "prompt=consent", "prompt=login", "prompt=select_account", "login_hint=", "audience=", "domain_hint=", "kc_idp_hint="];

    /// <param name="value">What its value looks like; the widest option of a command's help decides how wide all are.</param>
    public static Option<string[]> Create(string description, string value = "key=value")
    {
        var option = new Option<string[]>(Name) { Description = description, HelpName = value };
        option.CompletionSources.Add(_ => Known.Select(known => new CompletionItem(known)));
        return option;
    }

    /// <summary>The parameters as typed; null if the option is absent. An empty text alone removes all: the table is empty then.</summary>
    /// <exception cref="McpAuthException">InvalidValue: one has no name or no equals sign.</exception>
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
