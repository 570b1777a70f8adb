using System.Security.Cryptography;
using System.Text;
using McpSm.Core.Errors;

namespace McpSm.Core.Servers;

/// <summary>The names of servers, and the ids derived from them.</summary>
internal static class ServerName
{
    private const int MaxLength = 64;

    /// <summary>The verbs of <c>mcpsm auth</c>. A command could not refer to a server with such a name.</summary>
    public static readonly IReadOnlyList<string> Reserved =
        ["status", "login", "logout", "login-all", "refresh", "set", "revoke", "forget", "token", "reject", "help"];

    /// <summary>
    /// Validates a name and derives its slug: lower case, with spaces replaced by dashes, only <c>[a-z0-9-]</c>. For a name without a-z and 0-9 the
    /// slug is <c>server-</c> and 8 hexadecimal digits of the SHA-256 of the normalized name (NFC).
    /// </summary>
    /// <exception cref="McpAuthException">InvalidServerName.</exception>
    public static string ToSlug(string? name)
    {
        if (string.IsNullOrWhiteSpace(name))
        {
            throw Invalid("it is empty");
        }
        if (name.Length > MaxLength)
        {
            throw Invalid($"it has more than {MaxLength} characters");
        }
        if (name != UntrustedText.Sanitize(name))
        {
            throw Invalid("it has hidden characters, unusual spaces, repeated spaces, or spaces at its start or end");
        }
        if (name[0] == '-')
        {
            throw Invalid("it starts with a dash, like an option");
        }
        var slug = Slug(name);
        if (slug.Length > 0 && !Reserved.Contains(slug))
        {
            return slug;
        }
        // The slug omits letters of other scripts, so for such a name it need not be unique or meaningful.
        if (!name.EnumerateRunes().Any(rune => !rune.IsAscii && IsVisibleLetterOrDigit(rune)))
        {
            throw Invalid(slug.Length == 0 ? "it does not contain a letter or digit" : $"'{slug}' is the name of a command");
        }
        return $"server-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(UnicodeNormalizer.Compose(name))))[..8]}";
    }

    /// <summary>Whether the text is a valid id, including ids from other programs.</summary>
    public static bool IsId(string? id) =>
        id is { Length: > 0 and <= MaxLength + 8 } && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    /// <summary>Whether both names look the same to a person: letter case and the encoding of accents are ignored.</summary>
    public static bool AreSame(string name, string other) =>
        UnicodeNormalizer.Compose(name).Equals(UnicodeNormalizer.Compose(other), StringComparison.OrdinalIgnoreCase);

    /// <summary>Appends a number to an id, and shortens the id so that the result is not longer than a valid id.</summary>
    internal static string Numbered(string id, int number)
    {
        var suffix = $"-{number}";
        return $"{id[..Math.Min(id.Length, MaxLength - suffix.Length)]}{suffix}";
    }

    private static string Slug(string name)
    {
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
        return slug.ToString().TrimStart('-');
    }

    /// <summary>Excludes the Hangul fillers, which Unicode classifies as letters but which are blank.</summary>
    private static bool IsVisibleLetterOrDigit(Rune rune) => Rune.IsLetterOrDigit(rune) && rune.Value is not (0x115F or 0x1160 or 0x3164 or 0xFFA0);

    private static McpAuthException Invalid(string reason) => new(ErrorReason.InvalidServerName,
        $"The server name is invalid: {reason}.", "Choose a name of letters, digits, spaces and dashes, such as my-api");
}
