using System.Text;
using McpSm.Core.Errors;

namespace McpSm.Core.Servers;

/// <summary>Names that people give servers, and the ids made of them.</summary>
public static class ServerName
{
    private const int Longest = 64;

    /// <summary>The verbs of <c>mcpsm auth</c>: a server of that name could not be signed in to by it.</summary>
    public static readonly IReadOnlyList<string> Reserved =
        ["status", "login", "logout", "login-all", "refresh", "set", "revoke", "forget", "token", "reject", "help"];

    /// <summary>Checks a name and makes its slug: lower case, spaces to dashes, only <c>[a-z0-9-]</c>.</summary>
    /// <exception cref="McpAuthException">InvalidServerName.</exception>
    public static string ToSlug(string? name)
    {
        if (string.IsNullOrWhiteSpace(name))
        {
            throw Invalid("it is empty");
        }
        if (name.Length > Longest)
        {
            throw Invalid($"it is longer than {Longest} characters");
        }
        if (name != ForeignText.Clean(name))
        {
            throw Invalid("it has control characters, or spaces at its ends or in a row");
        }
        var slug = new StringBuilder(name.Length);
        foreach (var c in name.ToLowerInvariant())
        {
            if (c is ' ' or '-')
            {
                slug.Append('-');
            }
            else if (char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c))
            {
                slug.Append(c);
            }
        }
        var id = slug.ToString();
        if (!id.Any(char.IsAsciiLetterOrDigit))
        {
            throw Invalid("it has no letter a-z and no digit");
        }
        if (id.StartsWith('-'))
        {
            throw Invalid($"'{id}' would be read as an option");
        }
        return !Reserved.Contains(id) ? id : throw Invalid($"'{id}' is a verb of 'mcpsm auth'");
    }

    /// <summary>Whether a text can be an id, also one that another program made.</summary>
    public static bool IsId(string? id) =>
        id is { Length: > 0 and <= Longest + 8 } && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static McpAuthException Invalid(string why) => new(ErrorReason.InvalidServerName,
        $"That name cannot be used: {why}.", "Choose a name of letters, digits, spaces and dashes, like my-api");
}
