namespace McpSm.Core.Grants;

/// <summary>How the tokens of a request must be bound (RFC 9449).</summary>
/// <param name="Key">The key; null before one is created.</param>
/// <param name="IsRequired">Whether an unbound token is an error.</param>
/// <param name="IsAllowed">Whether a key may be created if the issuer requires one.</param>
internal sealed record SenderConstraint(DPoPKey? Key, bool IsRequired = false, bool IsAllowed = true)
{
    /// <summary>Bearer tokens, unless the issuer requires bound tokens.</summary>
    public static SenderConstraint None { get; } = new((DPoPKey?)null);

    /// <summary>Bearer tokens, even if the issuer wants bound tokens.</summary>
    public static SenderConstraint Bearer { get; } = new(null, IsAllowed: false);
}
