namespace McpSm.Samples;

/// <summary>The tokens of an issuer. Each is an opaque random string; this store has its data.</summary>
internal sealed class TokenStore(AuthorizationServerOptions options)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _tokens = new(StringComparer.Ordinal);

    private DateTimeOffset Now => options.TimeProvider.GetUtcNow();

    /// <summary>Every issued token, oldest first.</summary>
    public IReadOnlyList<IssuedToken> Issued
    {
        get
        {
            lock (_gate)
            {
                return [.. _tokens.Values.OrderBy(e => e.Sequence).Select(Describe)];
            }
        }
    }

    /// <param name="key">The thumbprint of the key that the tokens are bound to; null for bearer tokens.</param>
    public TokenResponse Issue(TokenFamily family, RegisteredClient client, string grantType, string? key)
    {
        // A client that can repeat its grant gets no refresh token (RFC 6749 section 4.4.3, RFC 7521 section 4.1).
        var refreshable = options.IssueRefreshTokens
            && grantType is not (GrantTypes.ClientCredentials or GrantTypes.JwtBearer)
            && client.MayUse(GrantTypes.RefreshToken);
        lock (_gate)
        {
            return Issue(family, grantType, family.Grant.Scopes, family.Grant.Resources, refreshable, key);
        }
    }

    /// <summary>Uses a refresh token up. Under the lock, so that only one of two callers succeeds.</summary>
    public TokenResponse Refresh(string value, string clientId, Parameters form, string? key)
    {
        lock (_gate)
        {
            if (!_tokens.TryGetValue(value, out var entry)
                || entry.Kind != TokenKind.Refresh
                || entry.Family.Grant.ClientId != clientId)
            {
                throw new OAuthException("invalid_grant", "the refresh token is not known");
            }

            if (entry.Rotated)
            {
                // The token was copied, and the issuer cannot know which copy was stolen (OAuth 2.1 section 4.3.1).
                entry.Family.Revoked = true;
                throw new OAuthException("invalid_grant", "the refresh token was used before");
            }

            if (entry.Key is not null && entry.Key != key)
            {
                throw new OAuthException("invalid_grant", "the refresh token is bound to another key");
            }

            if (StateOf(entry) != TokenState.Active)
            {
                throw new OAuthException("invalid_grant", "the refresh token is no longer valid");
            }

            var grant = entry.Family.Grant;
            var scopes = form.Scopes(grant.Scopes);
            var resources = Narrow(grant.Resources, form.Resources);
            entry.Rotated = options.RotateRefreshTokens;
            return Issue(entry.Family, GrantTypes.RefreshToken, scopes, resources, options.RotateRefreshTokens, key);
        }
    }

    /// <summary>Returns the data of an access token; null if it was never issued.</summary>
    public AccessTokenInfo? Introspect(string value)
    {
        lock (_gate)
        {
            return _tokens.TryGetValue(value, out var entry) && entry is { Kind: TokenKind.Access, ExpiresAt: { } expires }
                ? new(StateOf(entry) == TokenState.Active, entry.Family.Grant.ClientId, entry.Scopes, entry.Resources, expires) { KeyThumbprint = entry.Key }
                : null;
        }
    }

    /// <summary>Revokes a token; with a refresh token, all tokens of its grant (RFC 7009 section 2.1).</summary>
    /// <exception cref="OAuthException">The token belongs to another client.</exception>
    public void Revoke(string value, string clientId)
    {
        lock (_gate)
        {
            if (!_tokens.TryGetValue(value, out var entry))
            {
                // Not an error: the token is already invalid (RFC 7009 section 2.2).
                return;
            }

            if (entry.Family.Grant.ClientId != clientId)
            {
                throw new OAuthException("unauthorized_client", "the token was issued to another client");
            }

            entry.Revoked = true;
            entry.Family.Revoked |= entry.Kind == TokenKind.Refresh;
        }
    }

    public void Revoke(TokenFamily family)
    {
        lock (_gate)
        {
            family.Revoked = true;
        }
    }

    public void RevokeAll()
    {
        lock (_gate)
        {
            foreach (var entry in _tokens.Values)
            {
                entry.Revoked = true;
            }
        }
    }

    /// <summary>Expires a token. Returns false if it was never issued.</summary>
    public bool Expire(string value)
    {
        lock (_gate)
        {
            if (_tokens.TryGetValue(value, out var entry))
            {
                entry.ExpiresAt = Now;
                return true;
            }

            return false;
        }
    }

    /// <summary>Returns the requested resources, which must be granted ones; by default all granted ones (RFC 8707).</summary>
    public static IReadOnlyList<string> Narrow(IReadOnlyList<string> granted, IReadOnlyList<string> asked) =>
        asked.Count == 0 ? granted
        : asked.All(granted.Contains) ? asked
        : throw new OAuthException("invalid_target", "the resource was not authorized");

    private TokenResponse Issue(
        TokenFamily family,
        string grantType,
        IReadOnlyList<string> scopes,
        IReadOnlyList<string> resources,
        bool withRefreshToken,
        string? key)
    {
        var access = Add("at_", TokenKind.Access, Now + options.AccessTokenLifetime);
        var refresh = withRefreshToken ? Add("rt_", TokenKind.Refresh, null) : null;
        return new TokenResponse(access, refresh, options.AccessTokenLifetime, scopes);

        string Add(string prefix, TokenKind kind, DateTimeOffset? expiresAt)
        {
            var value = Secrets.New(prefix);
            _tokens[value] = new Entry(value, kind, family, grantType, scopes, resources, Now, _tokens.Count)
            {
                ExpiresAt = expiresAt,
                Key = key,
            };
            return value;
        }
    }

    private TokenState StateOf(Entry entry) =>
        entry.Revoked || entry.Family.Revoked ? TokenState.Revoked
        : entry.Rotated ? TokenState.Rotated
        : entry.ExpiresAt <= Now ? TokenState.Expired
        : TokenState.Active;

    private IssuedToken Describe(Entry e) => new(
        e.Value, e.Kind, StateOf(e), e.Family.Grant.ClientId, e.GrantType, e.Scopes, e.Resources, e.IssuedAt, e.ExpiresAt)
    { KeyThumbprint = e.Key };

    private sealed record Entry(
        string Value,
        TokenKind Kind,
        TokenFamily Family,
        string GrantType,
        IReadOnlyList<string> Scopes,
        IReadOnlyList<string> Resources,
        DateTimeOffset IssuedAt,
        int Sequence)
    {
        public DateTimeOffset? ExpiresAt { get; set; }

        public string? Key { get; init; }

        public bool Rotated { get; set; }

        public bool Revoked { get; set; }
    }
}
