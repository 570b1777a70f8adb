using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace McpSm.Clients.Editing;

/// <summary>Reads scalars by the core schema of YAML 1.2, and writes them so that YAML 1.1 reads the same.</summary>
internal static partial class YamlScalar
{
    /// <summary>Returns the value of a scalar; null for null.</summary>
    /// <param name="text">The text without quotes and escapes.</param>
    /// <param name="isPlain">Whether it has neither quotes nor a tag.</param>
    public static JsonNode? Read(string text, bool isPlain) => !isPlain ? JsonValue.Create(text) : text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => null,
        "true" or "True" or "TRUE" => JsonValue.Create(true),
        "false" or "False" or "FALSE" => JsonValue.Create(false),
        _ => ReadNumber(text) ?? JsonValue.Create(text),
    };

    private static JsonValue? ReadNumber(string text)
    {
        var culture = CultureInfo.InvariantCulture;
        if (text.StartsWith("0x", StringComparison.Ordinal) && long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, culture, out var hex))
        {
            return JsonValue.Create(hex);
        }
        if (!Number().IsMatch(text))
        {
            return null;
        }
        return long.TryParse(text, NumberStyles.AllowLeadingSign, culture, out var integer) ? JsonValue.Create(integer)
            : double.TryParse(text, NumberStyles.Float, culture, out var number) && double.IsFinite(number) ? JsonValue.Create(number) : null;
    }

    /// <summary>Writes a scalar on one line.</summary>
    public static string Write(JsonNode? value) =>
        value is JsonValue scalar && scalar.TryGetValue<string>(out var text) ? Write(text) : JsonStyle.Scalar(value);

    /// <summary>Writes a text: plain if every version of YAML reads it as a text, else in quotes.</summary>
    public static string Write(string text)
    {
        if (Plain().IsMatch(text) && !Reserved().IsMatch(text))
        {
            return text;
        }
        return text.Any(MustBeEscaped) ? Escaped(text) : $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
    }

    /// <summary>Whether a character ends a line, or has no shape.</summary>
    private static bool MustBeEscaped(char c) => char.IsControl(c) || c is '\u2028' or '\u2029' or '\uFEFF';

    private static string Escaped(string text)
    {
        var result = new StringBuilder("\"");
        foreach (var c in text)
        {
            result.Append(c switch
            {
                '"' or '\\' => $"\\{c}",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                _ when MustBeEscaped(c) => "\\u" + ((int)c).ToString("x4", CultureInfo.InvariantCulture),
                _ => c.ToString(),
            });
        }
        return result.Append('"').ToString();
    }

    [GeneratedRegex(@"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Number();

    // A letter or a slash first, so that it is neither a number nor a date. No space, colon or character of the flow style.
    [GeneratedRegex(@"^[A-Za-z_/][A-Za-z0-9_/.@+-]*\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Plain();

    [GeneratedRegex(@"^(?:null|true|false|y|n|yes|no|on|off)\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Reserved();
}
