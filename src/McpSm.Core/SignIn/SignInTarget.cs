using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>What a sign-in is for: the resource, the issuer that guards it, the scopes to ask for.</summary>
/// <param name="TrustedIssuers">The issuers that guard the resource by what the user or the server says; the issuer is one of them.</param>
internal sealed record SignInTarget(string Resource, AuthorizationServerMetadata Issuer, IReadOnlyList<string> TrustedIssuers, IReadOnlyList<string> Scopes)
{
    private const int MaxIssuers = 8;

    /// <summary>Whether tokens are to be bound to a key, and whether they must be (rule 35).</summary>
    public DPoPRequirement DPoP { get; init; }

    /// <summary>Whether it is an identity provider, which is asked who signs in: its resource is itself, and is not asked for.</summary>
    public bool IsIdentityProvider { get; init; }

    /// <summary>The <c>resource</c> of the requests (rule 20); null if there is no resource.</summary>
    public string? ResourceParameter { get; init; }

    // In characters. They go to the issuer in an address, of which web servers in common use take 8 to 16 KiB.
    private const int MaxScopesLength = 16 * 1024;

    /// <summary>Sends the server a request without a credential, and reads its metadata and that of its issuer (docs/architecture.md, step 4).</summary>
    /// <param name="refusal">What the server has answered already; null to ask it.</param>
    /// <returns>Null where the server asks for no credential.</returns>
    /// <exception cref="McpAuthException">The reasons of discovery.</exception>
    public static async Task<SignInTarget?> FindAsync(RestrictedHttpClient http, UrlPolicy policy, McpServer server, ServerSecrets? item,
        RefusedRequest? refusal, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        var answer = refusal?.Answer;
        if (answer is null)
        {
            progress?.Report($"Asking {UntrustedText.Sanitize(server.Uri.GetLeftPart(UriPartial.Path))} without a credential.");
            answer = await ChallengeProbe.SendAsync(http, server.Uri, server.Transport == McpTransport.Sse,
                ServerSecrets.HeadersFor(server, item), null, cancellationToken).ConfigureAwait(false);
        }
        ProtectedResourceMetadata? resource;
        if (!answer.AsksForCredential)
        {
            ChallengeProbe.RequireMcp(answer, server.Uri, server);
            // 400, 406 and 415 are an MCP server's word on the question itself.
            var isRefusal = answer.Status is >= 400 and not (400 or 406 or 415);
            // Some servers challenge only later requests, and some refuse with a 403 and no challenge: what they publish tells.
            resource = isRefusal && answer.Status != 403 ? null : await TryFindResourceAsync(http, server, cancellationToken).ConfigureAwait(false);
            if (resource is null || resource.AuthorizationServers.Count == 0)
            {
                return !isRefusal ? null : throw new McpAuthException(answer.Status == 429 ? ErrorReason.ServerUnreachable : ErrorReason.ProtocolViolation,
                    $"The server answered {ChallengeProbe.DescribeStatus(answer.Status)}, and says nothing of how to sign in.",
                    answer.Status == 429 ? (Remedy)"Try again later." : $"If it takes a token of its own: {new SetTokenStep(server)}")
                { StatusCode = answer.Status };
            }
        }
        else
        {
            progress?.Report("The server asks for a credential; reading its resource metadata.");
            resource = await FindResourceAsync(http, server, answer.MetadataChallenge, cancellationToken).ConfigureAwait(false);
        }
        var issuer = await FindIssuerAsync(http, policy, server, resource, cancellationToken).ConfigureAwait(false);
        progress?.Report($"The issuer is {UntrustedText.Sanitize(issuer.Issuer)}.");
        var scopes = ChooseScopes(server, answer.Scopes, refusal?.Prior ?? [], resource, issuer);
        if (Discovery.Scopes.Join(scopes).Length > MaxScopesLength)
        {
            throw new McpAuthException(ErrorReason.MetadataInvalid, $"The server asks for {scopes.Count:N0} scopes, more than a sign-in can carry.",
                $"Choose those that you need: {new UpdateServerStep(server, StepOptionKind.Scope)}");
        }
        progress?.Report(scopes.Count == 0
            ? "No scopes are asked for."
            : $"The scopes to ask for are {UntrustedText.Sanitize(Discovery.Scopes.Join(scopes))}.");
        return new SignInTarget(resource?.Resource ?? ResourceUri.Canonical(server.Uri), issuer,
            server.Issuer is null && resource is not null ? resource.AuthorizationServers : [issuer.Issuer], scopes)
        {
            DPoP = DPoPPolicy.Create(server, answer, resource, issuer),
            ResourceParameter = Servers.ResourceParameter.For(server, resource?.Resource ?? ResourceUri.Canonical(server.Uri)),
        };
    }

    /// <summary>Refuses an issuer at which the answer to a person's sign-in could be stolen (rule 25).</summary>
    /// <exception cref="McpAuthException">PkceUnsupported.</exception>
    public SignInTarget WithPkce() => Issuer.SupportsPkce || Issuer.IsLegacyDefault ? this
        : throw new McpAuthException(ErrorReason.PkceUnsupported,
            $"The issuer {UntrustedText.Sanitize(Issuer.Issuer)} does not advertise PKCE with S256, without which a code can be stolen.",
            "Ask its operator to support PKCE (RFC 7636) and to say so in its metadata.");

    /// <summary>Tokens with all that binds them.</summary>
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

    /// <summary>The metadata of a server that challenges; null if it publishes none, or if it can be done without (rule 3).</summary>
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
            // The user named the issuer, which is what it would tell.
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
            // An open server need not know these paths, and may answer anything there, and send us anywhere.
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
                        "The server asks for a credential and publishes nothing about where to get one.",
                        $"Keep a token of its own with '{new SetTokenStep(server)}', or, for a server of 2025-03-26 that you trust: "
                        + $"{new UpdateServerStep(server, StepOptionKind.AllowLegacyEndpoints)}"));
        }
        McpAuthException? failure = null;
        // A list without end would have us knock at doors of a stranger's choosing for as long.
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
    /// Rules 8 to 10 and 24: the user's, the challenge's with those held before, the resource's; offline_access only
    /// where it is listed.
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
