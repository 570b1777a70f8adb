namespace McpSm.Core.Discovery;

/// <summary>What a server says to one MCP request.</summary>
public sealed record ChallengeResponse(int Status, IReadOnlyList<Challenge> Challenges, string? MediaType, Uri? MovedTo)
{
    /// <summary>The challenge to answer: a Bearer one, or DPoP one where that alone says what went wrong, or stands alone.</summary>
    public Challenge? Challenge
    {
        get
        {
            var (bearer, dpop) = (First(c => c.IsBearer), First(c => c.IsDPoP));
            return bearer is null || (dpop?["error"] is not null && bearer["error"] is null) ? dpop : bearer;
        }
    }

    /// <summary>The scopes that are asked for; null where no challenge names any.</summary>
    public IReadOnlyList<string>? Scopes => Challenge?.Scopes
        ?? Challenges.Where(c => c.IsBearer || c.IsDPoP).Select(c => c.Scopes).FirstOrDefault(s => s is not null);

    /// <summary>The challenge that says where the resource metadata is, where one does; else the one to answer.</summary>
    public Challenge? MetadataChallenge => Challenge?["resource_metadata"] is not null ? Challenge
        : Challenges.FirstOrDefault(c => (c.IsBearer || c.IsDPoP) && c["resource_metadata"] is not null) ?? Challenge;

    /// <summary>The nonce that came along for the next proof; null where none did.</summary>
    public string? DPoPNonce { get; init; }

    /// <summary>The proof that was sent lacks the server's nonce, which is here (RFC 9449 section 9).</summary>
    public bool WantsNonce => Status == 401 && DPoPNonce is not null && Challenges.Any(c => c.IsDPoP && c["error"] == "use_dpop_nonce");

    public bool AsksForCredential => Status == 401 || (Status == 403 && Challenge is not null);

    /// <summary>The token that was sent is good, and lacks a scope (RFC 6750 section 3.1).</summary>
    public bool IsInsufficientScope => Status == 403 && Challenge?["error"] == "insufficient_scope";

    /// <summary>
    /// The first of a scheme; where there are several, as where a gateway adds its own or two handlers of a server do, the
    /// first that says what went wrong.
    /// </summary>
    private Challenge? First(Func<Challenge, bool> isOf) =>
        Challenges.FirstOrDefault(c => isOf(c) && c["error"] is not null) ?? Challenges.FirstOrDefault(isOf);
}
