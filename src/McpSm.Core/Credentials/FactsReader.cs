using System.Text.Json;

namespace McpSm.Core.Credentials;

/// <summary>
/// Reads facts out of JSON, by hand: every prompt that shows a status, and every token, waits for it. What the serializer
/// writes it would read too, but building its tables of types costs a session ten times the reading.
/// </summary>
internal static class FactsReader
{
    /// <exception cref="FormatException">What is wrong with it, in words for people.</exception>
    public static FactsDocument Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("version", out var version)
            || version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out var number) || number != 1
            || Member(root, "servers", JsonValueKind.Object) is not { } servers)
        {
            throw new FormatException("it is not of a version that this Mcpsm knows");
        }
        var document = new FactsDocument();
        foreach (var server in servers.EnumerateObject())
        {
            document.Servers[server.Name] = server.Value.ValueKind switch
            {
                JsonValueKind.Object => Facts(server.Value),
                JsonValueKind.Null => throw new FormatException("an entry of 'servers' is null"),
                _ => throw new FormatException("an entry of 'servers' is no object"),
            };
        }
        if (Member(root, "secrets", JsonValueKind.Object) is { } secrets)
        {
            document.Secrets = new(StringComparer.Ordinal);
            foreach (var secret in secrets.EnumerateObject())
            {
                document.Secrets[secret.Name] = Text(secrets, secret.Name)!;
            }
        }
        if (Member(root, "identities", JsonValueKind.Object) is { } identities)
        {
            document.Identities = new(StringComparer.Ordinal);
            foreach (var identity in identities.EnumerateObject())
            {
                document.Identities[identity.Name] = identity.Value.ValueKind == JsonValueKind.Object ? Identity(identity.Value)
                    : throw new FormatException("an entry of 'identities' is no object");
            }
        }
        return document;
    }

    private static IdentityFacts Identity(JsonElement entry) => new()
    {
        Issuer = Text(entry, "issuer") ?? throw new FormatException("an entry of 'identities' has no 'issuer'"),
        Vault = Text(entry, "vault") ?? throw new FormatException("an entry of 'identities' has no 'vault'"),
        ClientId = Text(entry, "clientId"),
        SignedInAt = Time(entry, "signedInAt"),
        ExpiresAt = Time(entry, "expiresAt"),
        CanRenew = Flag(entry, "canRenew"),
        RenewalBegan = Time(entry, "renewalBegan"),
    };

    private static ServerFacts Facts(JsonElement entry) => new()
    {
        Vault = Text(entry, "vault"),
        Kind = Text(entry, "kind") switch
        {
            null or nameof(CredentialKind.None) => CredentialKind.None,
            nameof(CredentialKind.Bearer) => CredentialKind.Bearer,
            nameof(CredentialKind.OAuth) => CredentialKind.OAuth,
            _ => throw new FormatException("a 'kind' in it is none that this Mcpsm knows"),
        },
        // One that only a later Mcpsm knows makes the file no damaged one.
        SignedInBy = Text(entry, "signedInBy") switch
        {
            nameof(SignedInBy.Person) => SignedInBy.Person,
            nameof(SignedInBy.Client) => SignedInBy.Client,
            nameof(SignedInBy.Workload) => SignedInBy.Workload,
            nameof(SignedInBy.IdentityProvider) => SignedInBy.IdentityProvider,
            _ => null,
        },
        Url = Text(entry, "url"),
        Issuer = Text(entry, "issuer"),
        IdentityProvider = Text(entry, "identityProvider"),
        Resource = Text(entry, "resource"),
        Scopes = Member(entry, "scopes", JsonValueKind.Array) is { } scopes ? [.. scopes.EnumerateArray().Select(s =>
            s.ValueKind == JsonValueKind.String ? Text(s) : throw new FormatException("a scope in it is no text"))] : null,
        IssuedAt = Time(entry, "issuedAt"),
        ExpiresAt = Time(entry, "expiresAt"),
        CanRenew = Flag(entry, "canRenew"),
        TokenType = Text(entry, "tokenType"),
        RenewalUncertain = Flag(entry, "renewalUncertain"),
        RenewalBegan = Time(entry, "renewalBegan"),
        SeenOpen = Flag(entry, "seenOpen"),
    };

    private static string? Text(JsonElement from, string name) => Member(from, name, JsonValueKind.String) is { } value ? Text(value) : null;

    private static string Text(JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new FormatException("a text in it is no Unicode");
        }
    }

    private static DateTimeOffset? Time(JsonElement from, string name) => Member(from, name, JsonValueKind.String) is not { } value ? null
        : value.TryGetDateTimeOffset(out var time) ? time : throw new FormatException($"a '{name}' in it is no time");

    private static bool Flag(JsonElement from, string name) => from.TryGetProperty(name, out var member) && member.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw new FormatException($"a '{name}' in it is neither true nor false"),
    };

    /// <summary>The member; null where it is absent or null.</summary>
    private static JsonElement? Member(JsonElement from, string name, JsonValueKind kind) =>
        !from.TryGetProperty(name, out var member) || member.ValueKind == JsonValueKind.Null ? null
        : member.ValueKind == kind ? member : throw new FormatException($"its '{name}' is not of the kind it should be");
}
