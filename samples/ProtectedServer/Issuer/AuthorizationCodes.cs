namespace McpSm.Samples;

/// <summary>Pending requests and unused authorization codes. Both can be used once.</summary>
internal sealed class AuthorizationCodes(AuthorizationServerOptions options, TokenStore tokens)
{
    private static readonly TimeSpan CodeLifetime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ConsentLifetime = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (AuthorizationRequest Request, DateTimeOffset Until)> _pending = [];
    private readonly Dictionary<string, Code> _codes = [];

    private DateTimeOffset Now => options.TimeProvider.GetUtcNow();

    /// <summary>Stores a request until a user decides. The random handle also prevents others from deciding.</summary>
    public string Hold(AuthorizationRequest request)
    {
        var handle = Secrets.New("");
        lock (_gate)
        {
            _pending[handle] = (request, Now + ConsentLifetime);
        }

        return handle;
    }

    /// <summary>Removes and returns the request of a handle.</summary>
    public AuthorizationRequest? Take(string handle)
    {
        lock (_gate)
        {
            return _pending.Remove(handle, out var held) && held.Until > Now ? held.Request : null;
        }
    }

    public string Issue(AuthorizationRequest request)
    {
        var value = Secrets.New("code_");
        var family = new TokenFamily(new Grant(request.Client.ClientId, request.Scopes, request.Resources, request.Nonce));
        lock (_gate)
        {
            _codes[value] = new Code(request, family, Now + CodeLifetime);
        }

        return value;
    }

    /// <summary>Returns the grant of a code if the code is fresh and belongs to this client, and everything that it is bound to matches.</summary>
    public TokenFamily Redeem(string value, string clientId, Parameters form, string? key)
    {
        var redirectUri = form.Required("redirect_uri");
        var verifier = form.Required("code_verifier");
        var resources = form.Resources;
        lock (_gate)
        {
            if (!_codes.TryGetValue(value, out var code) || code.Request.Client.ClientId != clientId)
            {
                throw new OAuthException("invalid_grant", "the code is not known");
            }

            if (code.Used)
            {
                // A code that is used twice was stolen, so its tokens are revoked (OAuth 2.1 section 4.1.3).
                tokens.Revoke(code.Family);
                throw new OAuthException("invalid_grant", "the code was used before");
            }

            code.Used = true;
            if (code.Until <= Now)
            {
                throw new OAuthException("invalid_grant", "the code has expired");
            }

            if (code.Request.RedirectUri != redirectUri)
            {
                throw new OAuthException("invalid_grant", "redirect_uri differs from the authorization request");
            }

            if (code.Request.Key is { } bound && bound != key)
            {
                throw new OAuthException("invalid_grant", "the code is bound to another key");
            }

            if (!Secrets.Same(code.Request.CodeChallenge, Secrets.ChallengeOf(verifier)))
            {
                throw new OAuthException("invalid_grant", "code_verifier does not match the code_challenge");
            }

            var granted = code.Family.Grant;
            var narrowed = TokenStore.Narrow(granted.Resources, resources);
            return code.Family = new TokenFamily(granted with { Resources = narrowed });
        }
    }

    private sealed class Code(AuthorizationRequest request, TokenFamily family, DateTimeOffset until)
    {
        public AuthorizationRequest Request { get; } = request;

        public DateTimeOffset Until { get; } = until;

        public TokenFamily Family { get; set; } = family;

        public bool Used { get; set; }
    }
}
