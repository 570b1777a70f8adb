using Duende.IdentityModel.Client;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;
using McpSm.Core.Interruption;

namespace McpSm.Core.Grants;

/// <summary>The device authorization grant, for a sign-in with another device (RFC 8628).</summary>
/// <remarks><c>resource</c> is null at an identity provider.</remarks>
internal sealed class DeviceCodeGrant(RestrictedHttpClient http, UrlPolicy policy, AuthorizationServerMetadata issuer, ClientIdentity client,
    string? resource, IReadOnlyList<string> scopes, SenderConstraint constraint, TimeProvider time)
{
    private const int MaxUserCodeLength = 32;

    private ClientIdentity _client = client;
    private string _deviceCode = "";
    private TimeSpan _interval;
    private DateTimeOffset _expiresAt;

    /// <summary>Requests a device code (RFC 8628 section 3.1).</summary>
    /// <exception cref="McpAuthException">MetadataInvalid: the issuer does not support device codes. TokenResponseInvalid, …</exception>
    public async Task<DeviceCode> StartAsync(CancellationToken cancellationToken)
    {
        using var request = new DeviceAuthorizationRequest
        {
            Address = issuer.DeviceAuthorizationEndpoint is { } endpoint ? http.Endpoint(endpoint, "The device endpoint")
                : throw new McpAuthException(ErrorReason.MetadataInvalid,
                    "The issuer does not support sign-in with a device code.", $"Sign in with a browser: omit {new StepOption(StepOptionKind.DeviceCode)}."),
            Scope = scopes.Count > 0 ? Discovery.Scopes.Join(scopes) : null,
        };
        request.Parameters.AddOptional("resource", resource);
        using var response = await PollAsync(request, cancellationToken).ConfigureAwait(false);
        if (!TokenSet.IsReadable(response) || response.DeviceCode is not { Length: > 0 } deviceCode)
        {
            throw NoCode();
        }
        var userCode = UserCode(response.UserCode);
        _deviceCode = deviceCode;
        _interval = TimeSpan.FromSeconds(Math.Clamp(response.Interval, 1, 60));
        var lifetime = TimeSpan.FromSeconds(response.ExpiresIn is > 0 and < 86400 ? response.ExpiresIn.Value : 600);
        _expiresAt = time.GetUtcNow() + lifetime;
        // Google uses the name of an older draft.
        var page = policy.Check(response.VerificationUri ?? response.TryGet("verification_url"), "The verification page");
        var complete = response.VerificationUriComplete is { } uri ? policy.Check(uri, "The verification page") : null;
        return new DeviceCode(userCode, page, complete, lifetime) { OtherSite = OtherSite(page) ?? (complete is null ? null : OtherSite(complete)) };
    }

    /// <summary>Sends the request. If the issuer rejects the authentication method of the client, sends it once more with the other method.</summary>
    private async Task<DeviceAuthorizationResponse> PollAsync(DeviceAuthorizationRequest request, CancellationToken cancellationToken)
    {
        _client.Sign(request, issuer.Issuer, time);
        var response = await http.Protocol.RequestDeviceAuthorizationAsync(request, cancellationToken).ConfigureAwait(false);
        if (!TokenSet.IsFailure(response))
        {
            return response;
        }
        using (response)
        {
            var refused = TokenSet.Refused(response, _client.Proofs);
            if (_client.WithOtherMethod is not { } other || !ClientRefusal.Is(response))
            {
                throw refused;
            }
            _client = other;
        }
        return await PollAsync(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Polls for the tokens until the issuer grants or denies them, or the code expires (RFC 8628 section 3.5).</summary>
    /// <remarks>
    /// <paramref name="exchange"/> runs during each request, because any response may have the tokens. It continues after that response.
    /// </remarks>
    /// <exception cref="McpAuthException">AuthorizationDenied, AuthenticationTimeout, …</exception>
    public async Task<TokenSet> WaitAsync(TokenExchange exchange, CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(_interval, time, cancellationToken).ConfigureAwait(false);
            using var request = new DeviceTokenRequest { Address = issuer.TokenEndpoint, DeviceCode = _deviceCode };
            request.Parameters.AddOptional("resource", resource);
            try
            {
                return await PollAsync(request, exchange).ConfigureAwait(false);
            }
            catch (McpAuthException e) when (e.OAuthError is "authorization_pending" or "slow_down"
                || e.Reason == ErrorReason.ServerUnreachable)
            {
                // RFC 8628 section 3.5: slow_down adds five seconds to all later intervals. A failed connection should slow us down, too.
                if (e.OAuthError != "authorization_pending")
                {
                    _interval += TimeSpan.FromSeconds(5);
                }
                if (time.GetUtcNow() + _interval >= _expiresAt)
                {
                    throw Expired();
                }
            }
            catch (McpAuthException e) when (e.OAuthError == "expired_token")
            {
                throw Expired();
            }
        }
    }

    private async Task<TokenSet> PollAsync(DeviceTokenRequest request, TokenExchange exchange)
    {
        exchange.Begin();
        try
        {
            return await _client.SendAsync(request, http.Protocol.RequestDeviceTokenAsync, issuer.Issuer, constraint, scopes, time, [_deviceCode],
                exchange.Token)
                .ConfigureAwait(false);
        }
        catch (McpAuthException)
        {
            exchange.Complete();
            throw;
        }
    }

    private string? OtherSite(Uri page) => UrlPolicy.TryParse(issuer.Issuer, out var issuerUri) && !SameSite.IsSame(page, issuerUri) ? page.IdnHost : null;

    /// <summary>
    /// Returns the code if it is safe to show: at most 32 ASCII letters, digits, hyphens, underscores, dots and spaces. Other text could
    /// imitate a message of Mcpsm.
    /// </summary>
    /// <exception cref="McpAuthException">TokenResponseInvalid: the code is missing, or not safe to show.</exception>
    internal static string UserCode(string? text) => string.IsNullOrWhiteSpace(text) ? throw NoCode()
        : text.Length <= MaxUserCodeLength && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ' ') ? text.Trim()
        : throw new McpAuthException(ErrorReason.TokenResponseInvalid,
            $"The issuer's device code has more than {MaxUserCodeLength} characters, or characters other than letters, digits and hyphens.",
            "Sign in with a browser, and report this to the operator of the issuer.");

    private static McpAuthException NoCode() => new(ErrorReason.TokenResponseInvalid, "The issuer's response has no device code.");

    internal static McpAuthException Expired() =>
        new(ErrorReason.AuthenticationTimeout, "The device code expired before anyone approved it.");
}
