namespace McpSm.Core.Discovery;

/// <summary>The response of a server to one MCP request.</summary>
internal sealed record ChallengeResponse(int Status, IReadOnlyList<Challenge> Challenges, string? MediaType, Uri? MovedTo)
{
    /// <summary>The challenge to respond to: a Bearer challenge, or a DPoP challenge if only that one has an error or if there is no other.</summary>
    public Challenge? Challenge
    {
        get
        {
            var (bearer, dpop) = (First(c => c.IsBearer), First(c => c.IsDPoP));
            return bearer is null || (dpop?["error"] is not null && bearer["error"] is null) ? dpop : bearer;
        }
    }

    /// <summary>The required scopes; null if no challenge names any.</summary>
    public IReadOnlyList<string>? Scopes => Challenge?.Scopes
        ?? Challenges.Where(c => c.IsBearer || c.IsDPoP).Select(c => c.Scopes).FirstOrDefault(s => s is not null);

    /// <summary>The challenge with the URL of the resource metadata, if there is one; else the challenge to respond to.</summary>
    public Challenge? MetadataChallenge => Challenge?["resource_metadata"] is not null ? Challenge
        : Challenges.FirstOrDefault(c => (c.IsBearer || c.IsDPoP) && c["resource_metadata"] is not null) ?? Challenge;

    /// <summary>The nonce for the next proof; null if the response has none.</summary>
    public string? DPoPNonce { get; init; }

    /// <summary>Whether the server requires a proof with the nonce of this response (RFC 9449 section 9).</summary>
    public bool WantsNonce => Status == 401 && DPoPNonce is not null && Challenges.Any(c => c.IsDPoP && c["error"] == "use_dpop_nonce");

    public bool AsksForCredential => Status == 401 || (Status == 403 && Challenge is not null);

    /// <summary>Whether the token is valid but lacks a scope (RFC 6750 section 3.1).</summary>
    public bool IsInsufficientScope => Status == 403 && Challenge?["error"] == "insufficient_scope";

    /// <summary>
    /// Returns the first challenge with an error, else the first challenge. There may be several if a gateway adds its own, or if the server has two
    /// handlers.
    /// </summary>
    private Challenge? First(Func<Challenge, bool> isOf) =>
        Challenges.FirstOrDefault(c => isOf(c) && c["error"] is not null) ?? Challenges.FirstOrDefault(isOf);
}
