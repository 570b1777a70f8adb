namespace McpSm.Core.Errors;

/// <summary>
/// The one exception Core throws on purpose. Its message is made of our own words and of values that are safe
/// to show: it never carries a token, and foreign text only after <see cref="UntrustedText.Sanitize"/>.
/// </summary>
public sealed class McpAuthException(ErrorReason reason, string message, Remedy? remedy = null,
    Exception? innerException = null) : Exception(Cleaned(message), innerException)
{
    public ErrorReason Reason { get; } = reason;

    /// <summary>What to do, as steps that a <see cref="RemedyFormatter"/> renders; null if that is not known.</summary>
    public Remedy? Remedy { get; } = remedy;

    /// <summary>The server's name, where the failure is of one server.</summary>
    public string? Server { get; init; }

    /// <summary>The vault's name, if the failure is of one vault.</summary>
    public string? Vault { get; internal set; }

    /// <summary>The HTTP status that the other side answered, where one did.</summary>
    public int? StatusCode { get; init; }

    /// <summary>The OAuth <c>error</c> code of the issuer, cleaned (RFC 6749 section 5.2).</summary>
    public string? OAuthError { get; init; }

    /// <summary>True where a request was sent and its answer never came: the other side may have acted on it.</summary>
    public bool OutcomeUnknown { get; init; }

    /// <summary>True if the vault is gone for good (unregistered, or not of this system), and not only out of reach for now.</summary>
    public bool IsVaultGone { get; init; }

    /// <summary>The same failure, with the server that it belongs to and a remedy if it had none.</summary>
    public McpAuthException For(string server, Remedy? remedy = null) =>
        Server is not null && (Remedy is not null || remedy is null) ? this : new McpAuthException(Reason, Message, Remedy ?? remedy, InnerException)
        {
            Server = Server ?? server,
            Vault = Vault,
            StatusCode = StatusCode,
            OAuthError = OAuthError,
            OutcomeUnknown = OutcomeUnknown,
            IsVaultGone = IsVaultGone,
        };

    /// <summary>One line. What it quotes at its end may have brought a full stop of its own.</summary>
    private static string Cleaned(string message)
    {
        var line = UntrustedText.SanitizeLine(message);
        return line.EndsWith("..", StringComparison.Ordinal) && !line.EndsWith("...", StringComparison.Ordinal) ? line[..^1] : line;
    }
}
