namespace McpSm.Core.Files;

/// <summary>Helpers for a secret that was typed, piped, or read from a file, a variable or a SecureString.</summary>
internal static class SecretText
{
    /// <summary>Returns the text without final line breaks, which editors and <c>echo</c> add.</summary>
    public static string WithoutLineEnd(string text) => text.TrimEnd('\r', '\n');

    /// <summary>Whether the secret has more than one line.</summary>
    public static bool HasSeveralLines(string text) => text.AsSpan().ContainsAny('\r', '\n');
}
