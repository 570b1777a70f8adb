using System.Text;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Commands.CommandLine;

/// <summary>Headers as a person writes them: <c>Name: value</c> or <c>name=value</c>, with <c>${VARIABLE}</c> in the value.</summary>
internal static class HeaderLine
{
    private const int MaxFileBytes = 256 * 1024;

    /// <summary>Splits a header at the first colon or equals sign, which a name cannot have; null if it has neither.</summary>
    public static (string Name, string Value)? Split(string line) =>
        line.AsSpan().IndexOfAny('=', ':') is > 0 and var at ? (line[..at].Trim(), line[at] == ':' ? line[(at + 1)..].Trim() : line[(at + 1)..]) : null;

    /// <summary>Reads a file with a header a line. Empty lines and lines that begin with <c>#</c> are skipped.</summary>
    /// <exception cref="McpAuthException">InvalidValue: the file cannot be read, or a line is not a header. The message does not repeat the line.</exception>
    public static IReadOnlyList<(string Name, string Value)> ReadFile(string path, CancellationToken cancellationToken)
    {
        McpAuthException Unusable(string reason) => new(ErrorReason.InvalidValue, $"Cannot use the file with headers: {reason}.",
            UserFile.Name(path) is { } name ? $"Correct the file {name}." : (Remedy)"Give the path of a file.");
        var content = UserFile.Read(path, MaxFileBytes, Unusable, cancellationToken);
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(content).TrimStart('\uFEFF');
        }
        catch (ArgumentException)
        {
            throw Unusable("it is not UTF-8 text");
        }
        var headers = new List<(string, string)>();
        var number = 0;
        foreach (var line in text.Split('\n').Select(line => line.Trim()))
        {
            number++;
            if (line.Length > 0 && line[0] != '#')
            {
                headers.Add(Split(line) ?? throw Unusable($"line {number} is not in the form 'Name: value'"));
            }
        }
        return headers;
    }

    /// <summary>Puts the values of environment variables in the place of <c>${VARIABLE}</c>. A value is not looked at again.</summary>
    /// <exception cref="McpAuthException">InvalidValue: a variable is not set.</exception>
    public static string Expand(string value, AppEnvironment environment)
    {
        var text = new StringBuilder();
        while (value.IndexOf("${", StringComparison.Ordinal) is >= 0 and var start && value.IndexOf('}', start) is > 0 and var end && end > start + 2)
        {
            var name = value[(start + 2)..end];
            text.Append(value, 0, start).Append(environment.SecretVariable(name)
                ?? throw new McpAuthException(ErrorReason.InvalidValue, $"The variable '{UntrustedText.Sanitize(name)}' of a header is not set.",
                    "Set it in the environment that the MCP client gives to this command."));
            value = value[(end + 1)..];
        }
        return text.Append(value).ToString();
    }
}
