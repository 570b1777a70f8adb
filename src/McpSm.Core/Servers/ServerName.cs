using System.Security.Cryptography;
using System.Text;
using McpSm.Core.Errors;

namespace McpSm.Core.Servers;

/// <summary>Names that people give servers, and the ids made of them.</summary>
public static class ServerName
{
    private const int MaxLength = 64;

    /// <summary>The verbs of <c>mcpsm auth</c>: a server of that name could not be signed in to by it.</summary>
    public static readonly IReadOnlyList<string> Reserved =
        ["status", "login", "logout", "login-all", "refresh", "set", "revoke", "forget", "token", "reject", "help"];

    /// <summary>
    /// Checks a name and makes its slug: lower case, spaces to dashes, only <c>[a-z0-9-]</c>. A name without a-z and 0-9 gets
    /// <c>server-</c> and 8 hexadecimal digits of the SHA-256 of its normalized form (NFC).
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
            throw Invalid($"it is longer than {MaxLength} characters");
        }
        if (name != UntrustedText.Sanitize(name))
        {
            throw Invalid("it has hidden characters, spaces other than the usual one, or spaces at its ends or in a row");
        }
        if (name[0] == '-')
        {
            throw Invalid("it begins with a dash and would be read as an option");
        }
        var slug = Slug(name);
        if (slug.Length > 0 && !Reserved.Contains(slug))
        {
            return slug;
        }
        // The letters of another script are left out of the slug: what remains of such a name says nothing about it.
        if (!name.EnumerateRunes().Any(rune => !rune.IsAscii && IsVisibleLetterOrDigit(rune)))
        {
            throw Invalid(slug.Length == 0 ? "it has no letter and no digit" : $"'{slug}' is the name of a command");
        }
        return $"server-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(UnicodeNormalizer.Compose(name))))[..8]}";
    }

    /// <summary>Whether a text can be an id, also one that another program made.</summary>
    public static bool IsId(string? id) =>
        id is { Length: > 0 and <= MaxLength + 8 } && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    /// <summary>Whether both are the same name to a person: letter case and the way accents are encoded make no difference.</summary>
    public static bool AreSame(string name, string other) => UnicodeNormalizer.Compose(name).Equals(UnicodeNormalizer.Compose(other), StringComparison.OrdinalIgnoreCase);

    /// <summary>The id with a number behind it, cut so that it is no longer than an id of ours.</summary>
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

    /// <summary>Not the Hangul fillers, which count as letters and are blank.</summary>
    private static bool IsVisibleLetterOrDigit(Rune rune) => Rune.IsLetterOrDigit(rune) && rune.Value is not (0x115F or 0x1160 or 0x3164 or 0xFFA0);

    private static McpAuthException Invalid(string why) => new(ErrorReason.InvalidServerName,
        $"That name cannot be used: {why}.", "Choose a name of letters, digits, spaces and dashes, like my-api");
}
