namespace McpSm.Core.Grants;

/// <summary>How the tokens of a request are to be bound (RFC 9449).</summary>
/// <param name="Key">The key; null where nobody has asked for one yet.</param>
/// <param name="IsRequired">A token without a binding is of no use.</param>
/// <param name="IsAllowed">Whether a key may be made where the issuer turns out to want one.</param>
public sealed record SenderConstraint(DPoPKey? Key, bool IsRequired = false, bool IsAllowed = true)
{
    /// <summary>Bearer tokens, unless the issuer wants otherwise.</summary>
    public static SenderConstraint None { get; } = new((DPoPKey?)null);

    /// <summary>Bearer tokens, whatever the issuer wants.</summary>
    public static SenderConstraint Bearer { get; } = new(null, IsAllowed: false);
}
