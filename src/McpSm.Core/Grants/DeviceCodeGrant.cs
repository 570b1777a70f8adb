using Duende.IdentityModel.Client;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;
using McpSm.Core.Interruption;

namespace McpSm.Core.Grants;

/// <summary>Sign-in with another device (RFC 8628).</summary>
/// <param name="resource">Null at an identity provider.</param>
public sealed class DeviceCodeGrant(RestrictedHttpClient http, UrlPolicy policy, AuthorizationServerMetadata issuer, ClientIdentity client,
    string? resource, IReadOnlyList<string> scopes, SenderConstraint constraint, TimeProvider time)
{
    private const int MaxUserCodeLength = 32;

    private ClientIdentity _client = client;
    private string _deviceCode = "";
    private TimeSpan _interval;
    private DateTimeOffset _end;

    /// <summary>Asks for a code (RFC 8628 section 3.1).</summary>
    /// <exception cref="McpAuthException">MetadataInvalid where the issuer offers none, TokenResponseInvalid, …</exception>
    public async Task<DeviceCode> StartAsync(CancellationToken cancellationToken)
    {
        using var request = new DeviceAuthorizationRequest
        {
            Address = issuer.DeviceAuthorizationEndpoint is { } endpoint ? http.Endpoint(endpoint, "The device endpoint")
                : throw new McpAuthException(ErrorReason.MetadataInvalid,
                    "The issuer offers no sign-in by device code.", $"Sign in with a browser: leave {new StepOption(StepOptionKind.DeviceCode)} out."),
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
        _end = time.GetUtcNow() + lifetime;
        // Google's name for it is older than the RFC.
        var page = policy.Check(response.VerificationUri ?? response.TryGet("verification_url"), "The verification page");
        var complete = response.VerificationUriComplete is { } uri ? policy.Check(uri, "The verification page") : null;
        return new DeviceCode(userCode, page, complete, lifetime) { OtherSite = OtherSite(page) ?? (complete is null ? null : OtherSite(complete)) };
    }

    /// <summary>Sends the request; once more with the client's other method if the issuer does not know it by the first.</summary>
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

    /// <summary>Asks for the token until there is one, the answer is no, or the code expires (RFC 8628 section 3.5).</summary>
    /// <param name="exchange">Goes on during each question, any of which may be the one that gives the token, and when there is one.</param>
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
                // RFC 8628 section 3.5: slow_down adds five seconds for good; a failed connection should slow us down too.
                if (e.OAuthError != "authorization_pending")
                {
                    _interval += TimeSpan.FromSeconds(5);
                }
                if (time.GetUtcNow() + _interval >= _end)
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
            return await _client.SendAsync(request, http.Protocol.RequestDeviceTokenAsync, issuer.Issuer, constraint, scopes, time, [_deviceCode], exchange.Token)
                .ConfigureAwait(false);
        }
        catch (McpAuthException)
        {
            exchange.Complete();
            throw;
        }
    }

    private string? OtherSite(Uri page) => UrlPolicy.TryParse(issuer.Issuer, out var home) && !SameSite.IsSame(page, home) ? page.IdnHost : null;

    /// <summary>
    /// The code, if it may be shown: at most 32 ASCII letters, digits, hyphens, underscores, dots and spaces. Anything else could pose
    /// as words of ours.
    /// </summary>
    /// <exception cref="McpAuthException">TokenResponseInvalid: there is no code, or it is not one that people can type.</exception>
    internal static string UserCode(string? text) => string.IsNullOrWhiteSpace(text) ? throw NoCode()
        : text.Length <= MaxUserCodeLength && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ' ') ? text.Trim()
        : throw new McpAuthException(ErrorReason.TokenResponseInvalid,
            $"The issuer's device answer has a code that is longer than {MaxUserCodeLength} characters, or has other characters than letters, digits and hyphens.",
            "Sign in with a browser, and tell whoever runs the issuer.");

    private static McpAuthException NoCode() => new(ErrorReason.TokenResponseInvalid, "The issuer's device answer has no code.");

    internal static McpAuthException Expired() =>
        new(ErrorReason.AuthenticationTimeout, "The device code expired before anyone approved it.");
}
