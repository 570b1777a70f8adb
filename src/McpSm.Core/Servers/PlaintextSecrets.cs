namespace McpSm.Core.Servers;

/// <summary>The plaintext secrets of a server in <c>config.json</c>.</summary>
internal sealed record PlaintextSecrets(
    string? BearerToken, string? ClientSecret, IReadOnlyDictionary<string, string> Headers)
{
    private static readonly string[] SecretWords =
        ["auth", "token", "key", "secret", "cookie", "password", "passwd", "credential", "session", "bearer", "signature", "jwt"];

    /// <summary>Whether there is a value that belongs in a vault.</summary>
    public bool HasSecret => BearerToken is not null || ClientSecret is not null || (Headers.Count > 0 && SecretHeaders.Any());

    /// <summary>
    /// The headers that are probably secrets, by their name or their value. A header such as <c>X-Region: eu-west-1</c> is not a secret and stays
    /// where the user can see and edit it.
    /// </summary>
    public IEnumerable<KeyValuePair<string, string>> SecretHeaders => Headers.Where(h =>
        SecretWords.Any(word => h.Key.Contains(word, StringComparison.OrdinalIgnoreCase)) || LooksSecret(h.Value));

    private static bool LooksSecret(string value) => value.Length >= 20 && !value.Any(char.IsWhiteSpace)
        && !value.Contains("://", StringComparison.Ordinal) && value.Any(char.IsAsciiDigit) && value.Any(char.IsAsciiLetter);

    public static PlaintextSecrets None { get; } = new(null, null, new Dictionary<string, string>());
}
