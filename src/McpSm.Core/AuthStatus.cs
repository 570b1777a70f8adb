using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Servers;

namespace McpSm.Core;

public enum AuthState
{
    /// <summary>No credential.</summary>
    NotAuthenticated,
    /// <summary>A token with time left.</summary>
    Authenticated,
    /// <summary>Less than min(5 minutes, 10 % of the lifetime) left.</summary>
    ExpiringSoon,
    /// <summary>No time left.</summary>
    Expired,
    /// <summary>A bearer token is set.</summary>
    BearerToken,
    /// <summary>OAuth is off and no token is set, or the server was seen to ask for none.</summary>
    NoAuth,
    /// <summary>The issuer gave no lifetime, or the facts cannot be read.</summary>
    Unknown,
}

/// <summary>How things stand with one server, from facts alone: no network, no vault.</summary>
public sealed record McpAuthStatus
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public required string Url { get; init; }
    public McpTransport Transport { get; init; }
    public CredentialKind Kind { get; init; }

    /// <summary>Who signed in; null where nobody did, or it was not kept then.</summary>
    public SignedInBy? SignedInBy { get; init; }

    /// <summary>How the token is sent: Bearer, or DPoP where it is bound to a key (RFC 9449); null without one.</summary>
    public string? TokenType { get; init; }
    public AuthState State { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }
    public IReadOnlyList<string> Scopes { get; init => field = ScopeList.Of(value); } = ScopeList.None;
    public string? Issuer { get; init; }
    public string? Vault { get; init; }
    public bool CanRenew { get; init; }
    public bool RenewalUncertain { get; init; }

    /// <summary>The exact next command, where there is something to mend.</summary>
    public string? Remedy { get; init; }

    /// <param name="unreadable">What keeps the facts from being read; null where nothing does.</param>
    /// <param name="plaintextFile">The file in which tokens of the server lie in plaintext; null where there is none.</param>
    internal static McpAuthStatus Of(McpServer server, ServerFacts? facts, DateTimeOffset now, string? unreadable, string? plaintextFile)
    {
        var status = Of(server, facts, now, unreadable);
        var file = server.Plaintext.HasSecret ? "config.json" : plaintextFile;
        // Before anything else: it may hold the very credential that is missing here.
        return file is null || unreadable is not null ? status
            : status with { Remedy = $"A secret lies in plaintext in {file}; mcpsm import {server.Id} takes it into the vault" };
    }

    private static McpAuthStatus Of(McpServer server, ServerFacts? facts, DateTimeOffset now, string? unreadable)
    {
        var status = new McpAuthStatus { Id = server.Id, Name = server.Name, Url = server.Url, Transport = server.Transport };
        if (unreadable is not null)
        {
            return status with { State = AuthState.Unknown, Remedy = unreadable };
        }
        var login = $"mcpsm auth login {server.Id}";
        // Facts of another place are none; what may be used is decided by the secret, which says the same.
        facts = facts is not null && AreOf(facts, server) ? facts : null;
        status = facts is null ? status : status with
        {
            Kind = facts.Kind,
            SignedInBy = facts.SignedInBy,
            TokenType = facts.Kind == CredentialKind.None ? null : facts.TokenType ?? Grants.TokenType.Bearer,
            ExpiresAt = facts.ExpiresAt,
            Scopes = facts.Scopes ?? [],
            Issuer = facts.Issuer,
            Vault = facts.Vault,
            CanRenew = facts.CanRenew,
            // A renewal takes seconds: one that began minutes ago was killed.
            RenewalUncertain = facts.RenewalUncertain || now - facts.RenewalBegan > TimeSpan.FromMinutes(2),
        };
        switch (status.Kind)
        {
            case CredentialKind.Bearer:
                return status with { State = AuthState.BearerToken };
            case CredentialKind.OAuth when status.ExpiresAt is not { } end:
                return status with { State = AuthState.Unknown, Remedy = $"The issuer gave no lifetime; mcpsm test {server.Id} shows whether the token still works" };
            case CredentialKind.OAuth when status.ExpiresAt <= now:
                return status with { State = AuthState.Expired, Remedy = status.CanRenew ? $"mcpsm auth refresh {server.Id}" : login };
            case CredentialKind.OAuth:
                var soon = Renewal.Margin(TimeSpan.FromMinutes(5), facts!.IssuedAt ?? now, status.ExpiresAt!.Value);
                return status.ExpiresAt - now < soon
                    ? status with { State = AuthState.ExpiringSoon, Remedy = status.CanRenew ? $"mcpsm auth refresh {server.Id}" : login }
                    : status with { State = AuthState.Authenticated };
        }
        if (server.Plaintext.BearerToken is not null)
        {
            return status with { Kind = CredentialKind.Bearer, TokenType = Grants.TokenType.Bearer, State = AuthState.BearerToken };
        }
        return server.OAuth == OAuthMode.Off || facts?.SeenOpen == true
            ? status with { State = AuthState.NoAuth }
            : status with { State = AuthState.NotAuthenticated, Remedy = login };
    }
    // What is spelt alike needs no second reading, which among thousands of servers would be half the work.
    private static bool AreOf(ServerFacts facts, McpServer server) => UrlPolicy.TryParse(server.Url, out var url)
        && (facts.Url == server.Url || (UrlPolicy.TryParse(facts.Url, out var made) && ResourceUri.SameOrigin(made, url)))
        && (facts.Resource is not { } resource || resource == server.Url || ResourceUri.Covers(resource, url));
}
