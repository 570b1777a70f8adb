namespace McpSm.Core.Files;

/// <summary>A secret as it arrives: typed, piped, or read from a file, a variable or a SecureString.</summary>
public static class SecretText
{
    /// <summary>The text without the line breaks at its end, which editors and <c>echo</c> add.</summary>
    public static string WithoutLineEnd(string text) => text.TrimEnd('\r', '\n');

    /// <summary>Whether a secret goes on in another line.</summary>
    public static bool HasSeveralLines(string text) => text.AsSpan().ContainsAny('\r', '\n');
}
