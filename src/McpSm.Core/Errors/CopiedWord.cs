namespace McpSm.Core.Errors;

/// <summary>A name in a command line that is shown to be copied.</summary>
public static class CopiedWord
{
    /// <summary>
    /// The name as one word of it, in any shell and in PowerShell: with quotes where it needs them. No quotes mean the same in
    /// both for what has a quote of its own: somebody has to write that.
    /// </summary>
    public static string Of(string name) =>
        name.Length > 0 && name.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '/') ? name
        : name.Any(c => c is '\'' or '\u2018' or '\u2019' or '\u201a' or '\u201b' || char.IsControl(c)) ? "<name>" : $"'{name}'";
}
