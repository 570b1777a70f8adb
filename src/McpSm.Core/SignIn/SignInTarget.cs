using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>The target of a sign-in: the resource, its issuer, and the scopes to request.</summary>
/// <param name="Resource">The identifier of the resource (RFC 8707).</param>
/// <param name="Issuer">The metadata of the issuer.</param>
/// <param name="TrustedIssuers">The issuers of the resource, as the user or the server names them. The issuer is one of them.</param>
/// <param name="Scopes">The scopes to ask for.</param>
internal sealed record SignInTarget(string Resource, AuthorizationServerMetadata Issuer, IReadOnlyList<string> TrustedIssuers, IReadOnlyList<string> Scopes)
{
    private const int MaxIssuers = 8;

    /// <summary>Whether to bind the tokens to a key, and whether that is required (rule 35).</summary>
    public DPoPRequirement DPoP { get; init; }

    /// <summary>Whether the target is an identity provider. Its resource is the provider itself, and is not part of the requests.</summary>
    public bool IsIdentityProvider { get; init; }

    /// <summary>The <c>resource</c> of the requests (rule 20); null if there is no resource.</summary>
    public string? ResourceParameter { get; init; }

    // In characters. The scopes are part of a URL, and common web servers accept URLs of 8 to 16 KiB.
    private const int MaxScopesLength = 16 * 1024;

    /// <summary>Sends the server a request without a credential, and reads its metadata and that of its issuer (docs/architecture.md, step 4).</summary>
    /// <param name="http">Sends the requests.</param>
    /// <param name="policy">Which URLs may be visited.</param>
    /// <param name="server">The server.</param>
    /// <param name="item">The stored secrets of the server; null if there are none.</param>
    /// <param name="refusal">The response that the server has already sent; null to send a request.</param>
    /// <param name="progress">Receives each step, and never a secret; null to report none.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>Null if the server answers without a credential.</returns>
    /// <exception cref="McpAuthException">The reasons of discovery.</exception>
    public static async Task<SignInTarget?> FindAsync(RestrictedHttpClient http, UrlPolicy policy, McpServer server, ServerSecrets? item,
        RefusedRequest? refusal, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        var answer = refusal?.Answer;
        if (answer is null)
        {
            progress?.Report($"Sending a request without a credential to {UntrustedText.Sanitize(server.Uri.GetLeftPart(UriPartial.Path))}.");
            answer = await ChallengeProbe.SendAsync(http, server.Uri, server.Transport == McpTransport.Sse,
                ServerSecrets.HeadersFor(server, item), null, cancellationToken).ConfigureAwait(false);
        }
        ProtectedResourceMetadata? resource;
        if (!answer.AsksForCredential)
        {
            ChallengeProbe.RequireMcp(answer, server.Uri, server);
            // With 400, 406 and 415 an MCP server refuses the content of the request, not the sender.
            var isRefusal = answer.Status is >= 400 and not (400 or 406 or 415);
            // Some servers challenge only later requests, and some answer 403 without a challenge. Their metadata shows how to sign in.
            resource = isRefusal && answer.Status != 403 ? null : await TryFindResourceAsync(http, server, cancellationToken).ConfigureAwait(false);
            if (resource is null || resource.AuthorizationServers.Count == 0)
            {
                return !isRefusal ? null : throw new McpAuthException(answer.Status == 429 ? ErrorReason.ServerUnreachable : ErrorReason.ProtocolViolation,
                    $"The server answered {ChallengeProbe.DescribeStatus(answer.Status)}, and does not say how to sign in.",
                    answer.Status == 429 ? (Remedy)"Try again later." : $"If the server accepts a token from elsewhere: {new SetTokenStep(server)}")
                { StatusCode = answer.Status };
            }
        }
        else
        {
            progress?.Report("The server requires a credential. Reading its resource metadata.");
            resource = await FindResourceAsync(http, server, answer.MetadataChallenge, cancellationToken).ConfigureAwait(false);
        }
        var issuer = await FindIssuerAsync(http, policy, server, resource, cancellationToken).ConfigureAwait(false);
        progress?.Report($"The issuer is {UntrustedText.Sanitize(issuer.Issuer)}.");
        var scopes = ChooseScopes(server, answer.Scopes, refusal?.Prior ?? [], resource, issuer);
        if (Discovery.Scopes.Join(scopes).Length > MaxScopesLength)
        {
            throw new McpAuthException(ErrorReason.MetadataInvalid, $"The server asks for {scopes.Count:N0} scopes, which are too many for one sign-in.",
                $"Choose those that you need: {new UpdateServerStep(server, StepOptionKind.Scope)}");
        }
        progress?.Report(scopes.Count == 0
            ? "Requesting no scopes."
            : $"Requesting the scopes {UntrustedText.Sanitize(Discovery.Scopes.Join(scopes))}.");
        return new SignInTarget(resource?.Resource ?? ResourceUri.Canonical(server.Uri), issuer,
            server.Issuer is null && resource is not null ? resource.AuthorizationServers : [issuer.Issuer], scopes)
        {
            DPoP = DPoPPolicy.Create(server, answer, resource, issuer),
            ResourceParameter = Servers.ResourceParameter.For(server, resource?.Resource ?? ResourceUri.Canonical(server.Uri)),
        };
    }

    /// <summary>Throws if another program could steal the authorization code of a sign-in at the issuer (rule 25).</summary>
    /// <exception cref="McpAuthException">PkceUnsupported.</exception>
    public SignInTarget WithPkce() => Issuer.SupportsPkce || Issuer.IsLegacyDefault ? this
        : throw new McpAuthException(ErrorReason.PkceUnsupported,
            $"The issuer {UntrustedText.Sanitize(Issuer.Issuer)} does not advertise PKCE with S256. "
            + "Without PKCE, another program could steal the authorization code.",
            "Ask its operator to support PKCE (RFC 7636) and to advertise it in its metadata.");

    /// <summary>Returns the tokens as a credential, with the issuer, resource and client that they are bound to.</summary>
    public OAuthCredential Credential(ClientIdentity client, TokenSet tokens, DateTimeOffset now) => new OAuthCredential
    {
        AccessToken = "",
        Issuer = Issuer.Issuer,
        Resource = Resource,
        Client = client,
        TokenEndpoint = Issuer.TokenEndpoint,
        RevocationEndpoint = Issuer.RevocationEndpoint,
        MetadataReadAt = now,
        RequiresDPoP = DPoP == DPoPRequirement.Required,
        DeniedScopes = Scopes.Except(tokens.Scopes).ToList() is { Count: > 0 } denied ? denied : null,
    }.With(tokens);

    /// <summary>Returns the metadata of a server that sent a challenge; null if it publishes none, or if the sign-in does not need it (rule 3).</summary>
    private static async Task<ProtectedResourceMetadata?> FindResourceAsync(
        RestrictedHttpClient http, McpServer server, Challenge? challenge, CancellationToken cancellationToken)
    {
        var isNamed = challenge?["resource_metadata"] is not null;
        try
        {
            return await ProtectedResourceMetadata.FindAsync(http, server.Uri, challenge, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (!isNamed && server.Issuer is not null
            && e.Reason is ErrorReason.MetadataInvalid or ErrorReason.UnsafeEndpoint or ErrorReason.ServerUnreachable)
        {
            // The metadata is not needed: the user named the issuer.
            return null;
        }
        catch (McpAuthException e) when (e is { Reason: ErrorReason.MetadataInvalid, Remedy: null })
        {
            throw e.For(server.Name, isNamed ? "Tell the operator of the server: its own challenge names this document." : SignInRemedy.ForDocument(server));
        }
    }

    private static async Task<ProtectedResourceMetadata?> TryFindResourceAsync(RestrictedHttpClient http, McpServer server, CancellationToken cancellationToken)
    {
        try
        {
            return await ProtectedResourceMetadata.FindAsync(http, server.Uri, null, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason is ErrorReason.MetadataInvalid or ErrorReason.UnsafeEndpoint)
        {
            // A server without sign-in may return anything at these paths, including redirects to other hosts.
            return null;
        }
    }

    private static async Task<AuthorizationServerMetadata> FindIssuerAsync(RestrictedHttpClient http, UrlPolicy policy, McpServer server,
        ProtectedResourceMetadata? resource, CancellationToken cancellationToken)
    {
        NextStep Naming(string url) => new UpdateServerStep(server, new StepOption(StepOptionKind.Issuer, url));
        if (server.Issuer is { } pinned)
        {
            return await AuthorizationServerMetadata.FindAsync(http, policy, pinned, Naming, cancellationToken).ConfigureAwait(false);
        }
        if (resource is null)
        {
            return await AuthorizationServerMetadata.FindAtRootAsync(http, policy, server.Uri, cancellationToken).ConfigureAwait(false)
                ?? (server.AllowLegacyEndpoints ? AuthorizationServerMetadata.LegacyDefault(server.Uri)
                    : throw new McpAuthException(ErrorReason.MetadataInvalid,
                        "The server requires a credential, but does not say how to get one.",
                        $"Store a token with '{new SetTokenStep(server)}', or, for a server of MCP 2025-03-26 that you trust: "
                        + $"{new UpdateServerStep(server, StepOptionKind.AllowLegacyEndpoints)}"));
        }
        McpAuthException? failure = null;
        // Limit the list: the server controls it, and each entry makes Mcpsm send a request.
        foreach (var issuer in resource.AuthorizationServers.Take(MaxIssuers))
        {
            try
            {
                return await AuthorizationServerMetadata.FindAsync(http, policy, issuer, Naming, cancellationToken).ConfigureAwait(false);
            }
            catch (McpAuthException e)
            {
                failure ??= e;
            }
        }
        throw failure ?? new McpAuthException(ErrorReason.MetadataInvalid, "The server's resource metadata names no issuer.",
            new UpdateServerStep(server, StepOptionKind.Issuer));
    }

    /// <summary>
    /// Chooses the scopes to request (rules 8 to 10 and 24): those of the user; else those of the challenge and the present ones; else those of
    /// the resource. Requests offline_access only if the issuer lists it.
    /// </summary>
    private static IReadOnlyList<string> ChooseScopes(McpServer server, IReadOnlyList<string>? challenged, IReadOnlyList<string> prior,
        ProtectedResourceMetadata? resource, AuthorizationServerMetadata issuer)
    {
        if (server.Scopes.Count > 0)
        {
            return server.Scopes;
        }
        var scopes = challenged is not null ? [.. prior.Union(challenged)] : resource?.ScopesSupported ?? [];
        return scopes.Count > 0 && issuer.ScopesSupported?.Contains(Discovery.Scopes.Offline) == true
            ? [.. scopes.Union([Discovery.Scopes.Offline])]
            : [.. scopes.Where(s => s != Discovery.Scopes.Offline || issuer.ScopesSupported is null)];
    }
}
