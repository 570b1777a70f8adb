using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>Accepts requests with a valid token for this resource (RFC 6750, RFC 9728) and, for a bound token, a proof (RFC 9449).</summary>
internal sealed class TokenGuard(
    AuthorizationServer issuer,
    ProtectedMcpServerOptions options,
    Func<string> resource,
    Func<Uri> resourceMetadata)
{
    private readonly DPoPProofs? _proofs = options.RequireDPoP ? new DPoPProofs(TimeProvider.System, options.RequireDPoPNonce) : null;
    private readonly string[] _scopes = options.Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        _proofs?.Offer(context.Response);
        // Read only the header: a token in a query would end up in logs.
        if (!AuthenticationHeaderValue.TryParse(context.Request.Headers.Authorization, out var header)
            || !header.Scheme.Equals(Scheme, StringComparison.OrdinalIgnoreCase)
            || string.IsNullOrEmpty(header.Parameter))
        {
            return Challenge(context, StatusCodes.Status401Unauthorized, null, null);
        }

        if (issuer.Introspect(header.Parameter) is not { Active: true } token)
        {
            return Challenge(context, 401, "invalid_token", "The token is unknown, expired or revoked");
        }

        try
        {
            // A bound token must not be accepted as a bearer token (RFC 9449 section 7.2).
            if (_proofs?.Verify(context.Request, header.Parameter) != token.KeyThumbprint || (_proofs is not null && token.KeyThumbprint is null))
            {
                return Challenge(context, 401, "invalid_token", "The token is bound to another key, or to none");
            }
        }
        catch (DPoPException error)
        {
            return Challenge(context, 401, error.Error, error.Description);
        }

        if (!token.Resources.Contains(resource()))
        {
            return Challenge(context, 401, "invalid_token", "The token is for another resource");
        }

        return _scopes.All(token.Scopes.Contains)
            ? next(context)
            : Challenge(context, StatusCodes.Status403Forbidden, "insufficient_scope", "The token lacks a scope");
    }

    private string Scheme => _proofs is null ? "Bearer" : "DPoP";

    // RFC 6750 section 3: a challenge to a request without a token has no error code.
    private Task Challenge(HttpContext context, int status, string? error, string? description)
    {
        List<string> parameters = [];
        if (error is not null)
        {
            parameters.Add($"error=\"{error}\"");
            parameters.Add($"error_description=\"{description}\"");
        }

        if (options.ResourceMetadataInChallenge)
        {
            parameters.Add($"resource_metadata=\"{resourceMetadata()}\"");
        }

        if (_scopes.Length > 0)
        {
            parameters.Add($"scope=\"{string.Join(' ', _scopes)}\"");
        }

        if (_proofs is not null)
        {
            parameters.Add($"algs=\"{DPoPProofs.Algorithm}\"");
        }

        context.Response.StatusCode = status;
        context.Response.ContentLength = 0;
        context.Response.Headers.WWWAuthenticate = $"{Scheme} {string.Join(", ", parameters)}".TrimEnd();
        return Task.CompletedTask;
    }
}
