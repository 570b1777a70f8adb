using System.Text.Json;
using McpSm.Core.Discovery;
using McpSm.Core.Files;

namespace McpSm.Core.Credentials;

/// <summary>
/// Reads the credential index without the JSON serializer. Every prompt that shows a status, and every token request, waits for this.
/// The serializer would need ten times as long, because it first builds its metadata for each type.
/// </summary>
internal sealed class CredentialIndexReader
{
    // Most servers have the same values here as the server before. Sharing the strings halves the memory for thousands of servers.
    private string? _vault, _url, _issuer, _identityProvider, _resource;
    private IReadOnlyList<string>? _scopes;

    private CredentialIndexReader()
    {
    }

    /// <summary>Reads the whole index.</summary>
    /// <exception cref="FormatException">The index is damaged. The message continues the sentence "Cannot use the file: ".</exception>
    public static CredentialIndexDocument Read(JsonElement root) => new CredentialIndexReader().Document(root);

    /// <summary>Reads the entry of one server; null if it has none. Skips the other entries.</summary>
    /// <exception cref="FormatException">The file or this entry is damaged.</exception>
    public static CredentialInfo? Read(JsonElement root, string id) =>
        Servers(root).TryGetProperty(id, out var entry) ? new CredentialIndexReader().Entry(entry) : null;

    private static JsonElement Servers(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("version", out var version)
            || version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out var number) || number != 1
            || Member(root, "servers", JsonValueKind.Object) is not { } servers)
        {
            throw new FormatException("this Mcpsm does not support its version");
        }
        return servers;
    }

    private CredentialIndexDocument Document(JsonElement root)
    {
        var document = new CredentialIndexDocument();
        foreach (var server in Servers(root).EnumerateObject())
        {
            document.Servers[server.Name] = Entry(server.Value);
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
                    : throw new FormatException("an entry of 'identities' is not an object");
            }
        }
        if (Member(root, "registrations", JsonValueKind.Object) is { } registrations)
        {
            document.Registrations = new(StringComparer.Ordinal);
            foreach (var registration in registrations.EnumerateObject())
            {
                document.Registrations[registration.Name] = registration.Value.ValueKind == JsonValueKind.Object ? Registration(registration.Value)
                    : throw new FormatException("an entry of 'registrations' is not an object");
            }
        }
        return document;
    }

    private CredentialInfo Entry(JsonElement entry) => entry.ValueKind switch
    {
        JsonValueKind.Object => ReadServer(entry),
        JsonValueKind.Null => throw new FormatException("an entry of 'servers' is null"),
        _ => throw new FormatException("an entry of 'servers' is not an object"),
    };

    private static IdentitySessionInfo Identity(JsonElement entry) => new()
    {
        Issuer = Text(entry, "issuer") ?? throw new FormatException("an entry of 'identities' has no 'issuer'"),
        Vault = Text(entry, "vault") ?? throw new FormatException("an entry of 'identities' has no 'vault'"),
        ClientId = Text(entry, "clientId"),
        SignedInAt = Time(entry, "signedInAt"),
        ExpiresAt = Time(entry, "expiresAt"),
        CanRenew = Flag(entry, "canRenew"),
        RenewalBegan = Time(entry, "renewalBegan"),
        Pending = Flag(entry, "pending"),
        RenewalRefused = Refused(entry),
        RenewalFailed = Failed(entry),
    };

    private static RegistrationInfo Registration(JsonElement entry) => new()
    {
        Issuer = Text(entry, "issuer") ?? throw new FormatException("an entry of 'registrations' has no 'issuer'"),
        Vault = Text(entry, "vault"),
        Servers = Member(entry, "servers", JsonValueKind.Array) is { } servers ? [.. servers.EnumerateArray().Select(Id)] : [],
        DoubtedClient = Text(entry, "doubtedClient"),
    };

    private static string Id(JsonElement server) => server.ValueKind == JsonValueKind.String ? Text(server)
        : throw new FormatException("a server of 'registrations' is not a string");

    private CredentialInfo ReadServer(JsonElement entry) => new()
    {
        Vault = Text(entry, "vault", ref _vault),
        Kind = Text(entry, "kind") switch
        {
            null or "None" => CredentialKind.None,
            "Bearer" => CredentialKind.Bearer,
            "OAuth" => CredentialKind.OAuth,
            _ => throw new FormatException("it has a 'kind' that this Mcpsm does not support"),
        },
        // Ignore values written by a newer version.
        SignedInBy = Text(entry, "signedInBy") switch
        {
            "Person" => SignedInBy.Person,
            "Client" => SignedInBy.Client,
            "Workload" => SignedInBy.Workload,
            "IdentityProvider" => SignedInBy.IdentityProvider,
            _ => null,
        },
        Url = Text(entry, "url", ref _url),
        Issuer = Text(entry, "issuer", ref _issuer),
        IdentityProvider = Text(entry, "identityProvider", ref _identityProvider),
        Resource = Text(entry, "resource", ref _resource),
        Scopes = Member(entry, "scopes", JsonValueKind.Array) is { } scopes ? Scopes(scopes) : null,
        IssuedAt = Time(entry, "issuedAt"),
        ExpiresAt = Time(entry, "expiresAt"),
        CanRenew = Flag(entry, "canRenew"),
        TokenType = Text(entry, "tokenType"),
        RenewalUncertain = Flag(entry, "renewalUncertain"),
        RenewalBegan = Time(entry, "renewalBegan"),
        RenewalRefused = Refused(entry),
        RenewalFailed = Failed(entry),
        AnsweredAnonymously = Flag(entry, "seenOpen"),
        HeaderNames = Member(entry, "headerNames", JsonValueKind.Array) is { } headers ? Names(headers) : null,
        HasClientSecret = Flag(entry, "hasClientSecret"),
        Pending = Flag(entry, "pending"),
    };

    private static RefusedRenewal? Refused(JsonElement entry) => Member(entry, "renewalRefused", JsonValueKind.Object) is not { } refused ? null : new()
    {
        At = Time(refused, "at") ?? throw new FormatException("a 'renewalRefused' in it has no 'at'"),
        Status = Member(refused, "status", JsonValueKind.Number) is { } status && status.TryGetInt32(out var number) ? number
            : throw new FormatException("a 'renewalRefused' in it has no 'status'"),
        Error = Text(refused, "error"),
        Fingerprint = Text(refused, "mark") ?? throw new FormatException("a 'renewalRefused' in it has no 'mark'"),
    };

    private static FailedRenewal? Failed(JsonElement entry) => Member(entry, "renewalFailed", JsonValueKind.Object) is not { } failed ? null : new()
    {
        At = Time(failed, "at") ?? throw new FormatException("a 'renewalFailed' in it has no 'at'"),
        Reason = Text(failed, "why") ?? throw new FormatException("a 'renewalFailed' in it has no 'why'"),
    };

    private IReadOnlyList<string> Scopes(JsonElement array)
    {
        var scopes = new List<string>(array.GetArrayLength());
        foreach (var scope in array.EnumerateArray())
        {
            if (scope.ValueKind != JsonValueKind.String)
            {
                throw new FormatException("a scope in it is not a string");
            }
            var i = scopes.Count;
            scopes.Add(i < _scopes?.Count && TextEquals(scope, _scopes[i]) ? _scopes[i] : Text(scope));
        }
        if (_scopes is null || scopes.Count != _scopes.Count || !scopes.SequenceEqual(_scopes))
        {
            _scopes = ScopeList.Create(scopes);
        }
        return _scopes;
    }

    private static List<string> Names(JsonElement array) => [.. array.EnumerateArray().Select(name => name.ValueKind == JsonValueKind.String ? Text(name)
        : throw new FormatException("the name of a header in it is not a string"))];

    private static string? Text(JsonElement from, string name, ref string? last) =>
        Member(from, name, JsonValueKind.String) is not { } value ? null
        : last is not null && TextEquals(value, last) ? last : last = Text(value);

    private static string? Text(JsonElement from, string name) => Member(from, name, JsonValueKind.String) is { } value ? Text(value) : null;

    private static bool TextEquals(JsonElement value, string text)
    {
        try
        {
            return value.ValueEquals(text);
        }
        catch (InvalidOperationException)
        {
            throw NotUnicode();
        }
    }

    private static string Text(JsonElement value) => value.TextOrNull() ?? throw NotUnicode();

    private static FormatException NotUnicode() => new("a string in it is not valid Unicode");

    private static DateTimeOffset? Time(JsonElement from, string name) => Member(from, name, JsonValueKind.String) is not { } value ? null
        : value.TryGetDateTimeOffset(out var time) ? time : throw new FormatException($"a '{name}' in it is not a time");

    private static bool Flag(JsonElement from, string name) => from.TryGetProperty(name, out var member) && member.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw new FormatException($"a '{name}' in it is neither true nor false"),
    };

    /// <summary>Returns the member; null if it is absent or null.</summary>
    private static JsonElement? Member(JsonElement from, string name, JsonValueKind kind) =>
        !from.TryGetProperty(name, out var member) || member.ValueKind == JsonValueKind.Null ? null
        : member.ValueKind == kind ? member : throw new FormatException($"a '{name}' in it has the wrong type");
}
