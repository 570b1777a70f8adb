namespace McpSm.Core.Errors;

/// <summary>
/// The exception that Core throws for every expected failure. Its message never contains a token. It contains text from the network only after <see
/// cref="UntrustedText.Sanitize(string?)"/>.
/// </summary>
public sealed class McpAuthException(ErrorReason reason, string message, Remedy? remedy = null,
    Exception? innerException = null) : Exception(Cleaned(message), innerException)
{
    public ErrorReason Reason { get; } = reason;

    /// <summary>The next steps, which a <see cref="RemedyFormatter"/> renders; null if they are not known.</summary>
    public Remedy? Remedy { get; } = remedy;

    /// <summary>The name of the server, if the failure concerns one server.</summary>
    public string? Server { get; init; }

    /// <summary>The name of the vault, if the failure concerns one vault.</summary>
    public string? Vault { get; internal set; }

    /// <summary>The HTTP status code of the response, if there was one.</summary>
    public int? StatusCode { get; init; }

    /// <summary>The OAuth <c>error</c> code from the issuer, sanitized (RFC 6749 section 5.2).</summary>
    public string? OAuthError { get; init; }

    /// <summary>True if a request was sent and no response arrived: the server may have processed it.</summary>
    public bool OutcomeUnknown { get; init; }

    /// <summary>True if the vault is permanently gone (unregistered, or from another operating system), and not only unavailable for now.</summary>
    public bool IsVaultGone { get; init; }

    /// <summary>Returns the same failure with the server's name, and with this remedy if the failure has none.</summary>
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

    /// <summary>Makes the message one line and removes a doubled period: text that the message quotes at its end may have its own period.</summary>
    private static string Cleaned(string message)
    {
        var line = UntrustedText.SanitizeLine(message);
        return line.EndsWith("..", StringComparison.Ordinal) && !line.EndsWith("...", StringComparison.Ordinal) ? line[..^1] : line;
    }
}
