using System.Text.RegularExpressions;

namespace McpSm.Clients.Entries;

/// <summary>Tells which values in a client's file are secrets in plain text.</summary>
internal static partial class HeaderSecret
{
    /// <summary>
    /// Whether a header's value is a secret that stands in the file. A value that only refers to a variable, an input or a file of the client
    /// is not.
    /// </summary>
    public static bool IsPlaintext(string name, string value) => IsSecretName(name) && !IsReference(value);

    /// <summary>Whether the value is only a reference that the client replaces, perhaps after the name of a scheme.</summary>
    public static bool IsReference(string value) => value.Trim().Length == 0 || Reference().IsMatch(value);

    /// <summary>Whether a URL contains a user, or a query parameter that is named like a secret.</summary>
    public static bool IsInUrl(string? url) => Uri.TryCreate(url, UriKind.Absolute, out var uri)
        && (uri.UserInfo.Length > 0 || uri.Query.TrimStart('?').Split('&').Any(IsSecretParameter));

    private static bool IsSecretName(string name) => name.Equals("Authorization", StringComparison.OrdinalIgnoreCase) || SecretName().IsMatch(name);

    private static bool IsSecretParameter(string parameter) => parameter.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals
        && equals < parameter.Length - 1 && SecretName().IsMatch(parameter[..equals]) && !IsReference(Uri.UnescapeDataString(parameter[(equals + 1)..]));

    [GeneratedRegex("auth|token|secret|key|cookie|password|credential|signature|^sig$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex SecretName();

    // ${VAR}, ${VAR:-}, ${input:id}, ${env:VAR}, ${{ secrets.X }}, {env:VAR}, {file:path}, $VAR and %VAR%. A default that is not empty is text.
    [GeneratedRegex(
        @"^\s*(?:[A-Za-z]+\s+)?(?:\$\{\{[^{}]*\}\}|\$\{(?:[A-Za-z]+:)?[A-Za-z_][\w.-]*(?::-)?\}"
        + @"|\{(?:env|file):[^{}]+\}|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%)\s*$",
        RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Reference();
}
