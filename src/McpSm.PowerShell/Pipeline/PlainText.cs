using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Net;
using System.Security;
using McpSm.Core.Errors;

namespace McpSm.PowerShell.Pipeline;

/// <summary>Values of any type that a user gives for texts. What is no text is refused: .NET would make the name of its type of it.</summary>
internal static class PlainText
{
    /// <param name="what">What the value is, for the error, such as <c>The value of a header</c>.</param>
    /// <exception cref="McpAuthException">InvalidValue.</exception>
    public static string Create(object? value, string what) => Unwrapped(value) switch
    {
        string text => text,
        SecureString secret => Create(secret),
        Uri url => url.OriginalString,
        bool truth => truth.ToString(CultureInfo.InvariantCulture),
        ValueType and IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        var other => throw new McpAuthException(ErrorReason.InvalidValue, $"{what} is {Named(other)}, and it must be a text or a SecureString.", "Give a text, or a SecureString as Read-Host -AsSecureString gives one."),
    };

    public static string Create(SecureString secret) => new NetworkCredential("", secret).Password;

    /// <summary>A table of texts; null if there is no table.</summary>
    /// <param name="what">What a value is, for the error.</param>
    /// <exception cref="McpAuthException">InvalidValue.</exception>
    public static Dictionary<string, string>? Table(IDictionary? table, string what, StringComparer names)
    {
        if (table is null)
        {
            return null;
        }
        var texts = new Dictionary<string, string>(names);
        foreach (DictionaryEntry entry in table)
        {
            // A table of PowerShell may have names that differ in nothing but their type or letter case.
            if (!texts.TryAdd(Create(entry.Key, "A name"), Create(entry.Value, what)))
            {
                throw new McpAuthException(ErrorReason.InvalidValue, "A name is given twice.", "Give each name once.");
            }
        }
        return texts;
    }

    private static object? Unwrapped(object? value)
    {
        while (value is PSObject { BaseObject: not PSCustomObject } wrapped)
        {
            value = wrapped.BaseObject;
        }
        return value;
    }

    private static string Named(object? value) => value switch
    {
        null => "missing ($null)",
        PSCredential => "a PSCredential",
        ScriptBlock => "a script block",
        IDictionary => "a table",
        IEnumerable => "an array",
        _ => "an object",
    };
}
