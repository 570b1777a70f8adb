using System.Globalization;
using System.Text.Json;
using Duende.IdentityModel.Client;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Servers;

namespace McpSm.Core.Registration;

/// <summary>
/// Registers a client in one sign-in (RFC 7591; rule 14 of docs/rules.md). If the issuer refuses a field, the next request changes only that
/// field. A sign-in sends at most three requests.
/// </summary>
/// <param name="http">Sends the requests.</param>
/// <param name="issuer">The issuer that registers the client.</param>
/// <param name="server">The server to sign in to.</param>
/// <param name="wanted">The scopes of the sign-in.</param>
/// <param name="command">Returns the command that signs in with an option.</param>
/// <param name="progress">Receives each step, and never a secret; null to report none.</param>
internal sealed class DynamicRegistration(RestrictedHttpClient http, AuthorizationServerMetadata issuer, McpServer server, IReadOnlyList<string> wanted,
    Func<StepOption, NextStep> command, IProgress<string>? progress = null)
{
    /// <summary>The most requests in one sign-in.</summary>
    public const int MaxRequests = 3;

    private int _left = MaxRequests;
    private McpAuthException? _refusal;

    // The request that the issuer accepted, or the next one to send.
    private RegistrationRequest? _request;

    /// <summary>Registers a client.</summary>
    /// <param name="redirect">The redirect URI; moved to localhost if the issuer accepts no other.</param>
    /// <param name="scopes">The scopes to register for. Null to name none, unless the issuer requires some.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="McpAuthException">ClientRegistrationFailed, with the issuer's reason; ServerUnreachable: try later; CallbackPortInUse.</exception>
    public async Task<ClientRegistration> RunAsync(RegisteredRedirectUri redirect, IReadOnlyList<string>? scopes, CancellationToken cancellationToken)
    {
        if (issuer.RegistrationEndpoint is not { } url)
        {
            throw new McpAuthException(ErrorReason.ClientRegistrationFailed,
                $"The issuer {UntrustedText.Sanitize(issuer.Issuer)} does not support dynamic client registration.", OwnClient(redirect));
        }
        var endpoint = http.Endpoint(url, "The registration endpoint");
        var request = _request ?? RegistrationRequest.For(issuer);
        _request = scopes is null ? request : request with { Scopes = scopes };
        _refusal = null;
        while (_left > 0)
        {
            _left--;
            if (await RequestAsync(endpoint, redirect, _request, cancellationToken).ConfigureAwait(false) is { } registered)
            {
                return registered;
            }
        }
        throw Failed(_refusal ?? new McpAuthException(ErrorReason.ClientRegistrationFailed, $"The issuer refused {MaxRequests} requests of this sign-in."));
    }

    /// <summary>Sends one request.</summary>
    /// <returns>Null if the issuer refused the request, and another one may succeed: <see cref="_request"/> or the redirect has been changed for it.</returns>
    private async Task<ClientRegistration?> RequestAsync(
        string endpoint, RegisteredRedirectUri redirect, RegistrationRequest asked, CancellationToken cancellationToken)
    {
        using var request = new DynamicClientRegistrationRequest { Address = endpoint, Document = asked.ToDocument(redirect.Value) };
        using var response = await http.Protocol.RegisterClientAsync(request, cancellationToken).ConfigureAwait(false);
        if (!TokenSet.IsFailure(response))
        {
            return Read(response, redirect, asked);
        }
        var refusal = TokenSet.Refused(response);
        // Report the first refusal: later ones belong to requests that only repair attempts make.
        _refusal = _refusal is { OAuthError: not null } ? _refusal : refusal.OAuthError is null ? _refusal ?? refusal : refusal;
        foreach (var field in _left == 0 ? [] : RegistrationRefusal.Fields(refusal, issuer.GrantTypesSupported is { Count: > 0 }))
        {
            if (field == RegistrationField.RedirectUris && redirect.CanBeLocalhost)
            {
                redirect.MoveToLocalhost();
            }
            else if (asked.Without(field, issuer, wanted) is { } other)
            {
                _request = other;
            }
            else
            {
                continue;
            }
            progress?.Report($"The issuer refused the registration. {refusal.Message} Sending another request with a different {field}.");
            return null;
        }
        throw Failed(refusal.Reason == ErrorReason.ServerUnreachable ? refusal : _refusal);
    }

    private ClientRegistration Read(DynamicClientRegistrationResponse response, RegisteredRedirectUri redirect, RegistrationRequest asked)
    {
        if (!TokenSet.IsReadable(response) || response.ClientId is not { Length: > 0 } id)
        {
            throw new McpAuthException(ErrorReason.ClientRegistrationFailed,
                $"The issuer {UntrustedText.Sanitize(issuer.Issuer)} returned no client id for the registration.");
        }
        RequireRedirect(response.Json!.Value, redirect);
        var granted = response.TryGet("token_endpoint_auth_method") ?? (asked.AuthMethod == ClientIdentity.None ? null : asked.AuthMethod);
        var secret = granted == ClientIdentity.None || response.ClientSecret is not { Length: > 0 } given ? null : given;
        var identity = ClientIdentity.Create(ClientKind.Dynamic, id, secret, issuer, granted) with
        {
            // Mcpsm does not ask for this: it stores registrations by issuer, and another server of the issuer may accept only bearer tokens.
            IsDPoPBound = response.Json is { } json && json.TryGetProperty("dpop_bound_access_tokens", out var bound) && bound.ValueKind == JsonValueKind.True,
        };
        return new ClientRegistration
        {
            Issuer = issuer.Issuer,
            Client = identity,
            Ports = [redirect.Port],
            RedirectHost = redirect.Host,
            Scopes = asked.Scopes,
            SecretExpiresAt = identity.Secret is not null && response.TryGet("client_secret_expires_at") is { } end
                && long.TryParse(end, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < 253402300799
                ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null,
        };
    }

    /// <summary>
    /// Throws if the issuer registered other redirect URIs, as RFC 7591 section 3.2.1 allows: the person would sign in, but the browser
    /// could not return.
    /// </summary>
    private void RequireRedirect(JsonElement answer, RegisteredRedirectUri redirect)
    {
        if (!answer.TryGetProperty("redirect_uris", out var member) || member.ValueKind is not (JsonValueKind.Array or JsonValueKind.String))
        {
            return;
        }
        IEnumerable<JsonElement> members = member.ValueKind == JsonValueKind.Array ? member.EnumerateArray() : [member];
        List<string> registered = [.. members.Select(uri => uri.TextOrNull()).OfType<string>()];
        if (registered.Any(uri => IsSame(uri, new Uri(redirect.Value))))
        {
            return;
        }
        var shown = registered.Count == 0
            ? "none"
            : string.Join(", ", registered.Take(3).Select(uri => UntrustedText.Sanitize(uri))) + (registered.Count > 3 ? ", …" : "");
        var port = registered.Select(uri => UrlPolicy.TryParse(uri, out var other) ? other : null)
            .FirstOrDefault(uri => uri is { Port: > 0 } && uri.AbsoluteUri == RegisteredRedirectUri.Uri(redirect.Host, uri.Port))?.Port;
        throw new McpAuthException(ErrorReason.ClientRegistrationFailed,
            $"The issuer {UntrustedText.Sanitize(issuer.Issuer)} did not register the redirect URI {redirect.Value}. It registered: {shown}. "
            + "The browser could not return to Mcpsm.",
            port is not null ? command(new StepOption(StepOptionKind.CallbackPort, $"{port}")) : OwnClient(redirect));
    }

    /// <summary>Returns whether a registered URI allows the requested one. Without a port it allows every port (RFC 8252 section 7.3).</summary>
    private static bool IsSame(string registered, Uri asked) => registered == asked.OriginalString
        || (UrlPolicy.TryParse(registered, out var uri) && (uri == asked
            || (uri.IsDefaultPort && uri.Scheme == asked.Scheme && uri.Host == asked.Host && uri.PathAndQuery == asked.PathAndQuery)));

    private Remedy OwnClient(RegisteredRedirectUri redirect) =>
        $"Register a client there with the redirect URI {redirect.Value}, then: {new UpdateServerStep(server, StepOptionKind.ClientId)}";

    private McpAuthException Failed(McpAuthException why)
    {
        var isLater = why.Reason == ErrorReason.ServerUnreachable;
        return new McpAuthException(isLater ? why.Reason : ErrorReason.ClientRegistrationFailed,
            $"Registering with {UntrustedText.Sanitize(issuer.Issuer)} failed. {why.Message}",
            isLater ? why.Remedy : $"Supply a client of your own: {new UpdateServerStep(server, StepOptionKind.ClientId)}", why)
        { OAuthError = why.OAuthError, StatusCode = why.StatusCode };
    }
}
