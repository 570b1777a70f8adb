using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Net;
using System.Security;
using McpSm.Core.Errors;

namespace McpSm.PowerShell.Parameters;

/// <summary>Converts parameter values of any type to text. Refuses objects, because .NET would convert them to the name of their type.</summary>
internal static class PlainText
{
    /// <summary>Converts one value.</summary>
    /// <param name="value">A text, a SecureString, a URL, a Boolean or a number.</param>
    /// <param name="what">The subject of the error message, such as <c>The value of a header</c>.</param>
    /// <exception cref="McpAuthException">InvalidValue: the value has another type.</exception>
    public static string Create(object? value, string what) => Unwrap(value) switch
    {
        string text => text,
        SecureString secret => Create(secret),
        Uri url => url.OriginalString,
        bool boolean => boolean.ToString(CultureInfo.InvariantCulture),
        ValueType and IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        var other => throw new McpAuthException(ErrorReason.InvalidValue, $"{what} must be a text or a SecureString, but it is {Describe(other)}.",
            "Use a text, or a SecureString such as Read-Host -AsSecureString returns."),
    };

    public static string Create(SecureString secret) => new NetworkCredential("", secret).Password;

    /// <summary>Converts the names and values of a table. Returns null for null.</summary>
    /// <param name="table">The table, or null.</param>
    /// <param name="what">The subject of the error message about a value.</param>
    /// <param name="names">Compares the names.</param>
    /// <exception cref="McpAuthException">InvalidValue: a value has another type, or two names are equal.</exception>
    public static Dictionary<string, string>? Table(IDictionary? table, string what, StringComparer names)
    {
        if (table is null)
        {
            return null;
        }
        var texts = new Dictionary<string, string>(names);
        foreach (DictionaryEntry entry in table)
        {
            // A hashtable can have two keys that are the same text, because their types or letter case differ.
            if (!texts.TryAdd(Create(entry.Key, "A name"), Create(entry.Value, what)))
            {
                throw new McpAuthException(ErrorReason.InvalidValue, "The table contains a name twice.", "Use each name once.");
            }
        }
        return texts;
    }

    private static object? Unwrap(object? value)
    {
        while (value is PSObject { BaseObject: not PSCustomObject } wrapper)
        {
            value = wrapper.BaseObject;
        }
        return value;
    }

    private static string Describe(object? value) => value switch
    {
        null => "missing ($null)",
        PSCredential => "a PSCredential",
        ScriptBlock => "a script block",
        IDictionary => "a table",
        IEnumerable => "an array",
        _ => "an object",
    };
}
