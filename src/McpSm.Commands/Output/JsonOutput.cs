using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using McpSm.Core;
using McpSm.Core.Configuration;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;

namespace McpSm.Commands.Output;

/// <summary>Writes the JSON of <c>--json</c>. Members have camelCase names, and times have the format ISO 8601.</summary>
internal static class JsonOutput
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // Bytes to collect before writing. One text for ten thousand servers would be slow, and twice in memory.
    private const int ChunkSize = 16 * 1024;

    // Code pages.
    private const int Utf8 = 65001;
    private const int Utf16 = 1200;

    /// <summary>
    /// Writes an array in chunks. The items must be in memory already: if producing one failed in the middle, the output would not be
    /// valid JSON.
    /// </summary>
    public static void Array<T>(TextWriter to, IReadOnlyCollection<T> items, Action<Utf8JsonWriter, T> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        // Escape letters that the encoding of the terminal may lack. It would write question marks instead.
        var isUnicode = to.Encoding.CodePage is Utf8 or Utf16;
        using var json = new Utf8JsonWriter(bytes, isUnicode ? Indented : Indented with { Encoder = JavaScriptEncoder.Default });
        char[] text = [];
        void WriteChunk()
        {
            json.Flush();
            if (text.Length < bytes.WrittenCount)
            {
                text = new char[bytes.WrittenCount];
            }
            Write(to, text.AsSpan(0, Encoding.UTF8.GetChars(bytes.WrittenSpan, text)));
            bytes.ResetWrittenCount();
        }
        json.WriteStartArray();
        foreach (var item in items)
        {
            json.WriteStartObject();
            write(json, item);
            json.WriteEndObject();
            if (bytes.WrittenCount + json.BytesPending >= ChunkSize)
            {
                WriteChunk();
            }
        }
        json.WriteEndArray();
        WriteChunk();
        to.WriteLine();
    }

    public static string Document(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Indented))
        {
            write(json);
        }
        var text = new StringWriter();
        Write(text, Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length));
        return text.ToString();
    }

    /// <summary>Writes a setting: <c>name</c>, <c>value</c> and <c>source</c> or null, <c>description</c>.</summary>
    public static void Setting(Utf8JsonWriter json, (UserSetting Setting, SettingValue? Value) entry)
    {
        json.WriteString("name", entry.Setting.Name);
        json.WriteString("value", entry.Value?.Text);
        json.WriteString("source", entry.Value?.Source);
        json.WriteString("description", entry.Setting.Description);
    }

    /// <summary>
    /// Writes JSON and escapes characters that a terminal interprets or hides, such as right-to-left overrides. Outside ASCII, each
    /// character is part of a JSON string, so escaping does not change the value.
    /// </summary>
    private static void Write(TextWriter to, ReadOnlySpan<char> json)
    {
        for (int next; (next = json.IndexOfAnyExceptInRange('\0', '~')) >= 0;)
        {
            to.Write(json[..next]);
            Rune.DecodeFromUtf16(json[next..], out var rune, out var length);
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator)
            {
                foreach (var c in json.Slice(next, length))
                {
                    to.Write($"\\u{(int)c:x4}");
                }
            }
            else
            {
                to.Write(json.Slice(next, length));
            }
            json = json[(next + length)..];
        }
        to.Write(json);
    }

    public static void Status(Utf8JsonWriter json, McpAuthStatus status, DateTimeOffset now)
    {
        Text(json, "id", status.Id);
        Text(json, "name", status.Name);
        Text(json, "url", status.Url);
        json.WriteString("transport", JsonText.Of(status.Transport));
        json.WriteString("kind", JsonText.Of(status.Kind));
        Optional(json, "tokenType", status.TokenType);
        json.WriteString("state", JsonText.Of(status.State));
        Expiry(json, status.ExpiresAt, now);
        Texts(json, "scopes", status.Scopes);
        Optional(json, "issuer", status.Issuer);
        Optional(json, "signedInBy", JsonText.Of(status.SignedInBy));
        Optional(json, "vault", status.Vault);
        json.WriteBoolean("canRenew", status.CanRenew);
        json.WriteBoolean("renewalUncertain", status.RenewalUncertain);
        Optional(json, "remedy", status.Remedy);
        Optional(json, "plaintextFile", status.PlaintextFile);
        if (status.RenewalRefusedAt is not null)
        {
            Time(json, "renewalRefusedAt", status.RenewalRefusedAt);
        }
        Pending(json, status.Pending);
    }

    /// <summary>Writes the member only if it is true, which is rare.</summary>
    private static void Pending(Utf8JsonWriter json, bool isPending)
    {
        if (isPending)
        {
            json.WriteBoolean("pending", true);
        }
    }

    public static void IdentityProvider(Utf8JsonWriter json, McpIdentityProvider provider, DateTimeOffset now)
    {
        Text(json, "issuer", provider.Issuer);
        json.WriteBoolean("isSet", provider.IsSet);
        Optional(json, "clientId", provider.ClientId);
        Texts(json, "scopes", provider.Scopes);
        json.WriteBoolean("signedIn", provider.SignedIn);
        Time(json, "signedInAt", provider.SignedInAt);
        Expiry(json, provider.ExpiresAt, now);
        json.WriteBoolean("canRenew", provider.CanRenew);
        Optional(json, "vault", provider.Vault);
        Texts(json, "servers", provider.Servers);
        Optional(json, "remedy", provider.Remedy);
        Pending(json, provider.Pending);
    }

    public static void Server(Utf8JsonWriter json, McpServer server)
    {
        Text(json, "id", server.Id);
        Text(json, "name", server.Name);
        Text(json, "url", server.Url);
        json.WriteString("transport", JsonText.Of(server.Transport));
        if (server.OAuth == OAuthMode.Unset)
        {
            json.WriteNull("oauth");
        }
        else
        {
            json.WriteBoolean("oauth", server.OAuth == OAuthMode.On);
        }
        Optional(json, "clientId", server.ClientId);
        Optional(json, "clientMetadataUrl", server.ClientMetadataUrl);
        Texts(json, "scopes", server.Scopes);
        Optional(json, "issuer", server.Issuer);
        json.WriteBoolean("allowLegacyEndpoints", server.AllowLegacyEndpoints);
        Texts(json, "headerNames", server.HeaderNames);
        json.WriteBoolean("hasClientSecret", server.HasClientSecret);
        json.WriteString("dpop", JsonText.Of(server.DPoP));
        json.WriteStartObject("authorizeParams");
        foreach (var (name, value) in server.AuthorizeParams)
        {
            json.WriteString(name, value);
        }
        json.WriteEndObject();
        if (server.Resource is not null)
        {
            Text(json, "resource", server.Resource);
        }
        Relay(json, server.Relay);
    }

    /// <summary>Writes how <c>mcpsm proxy</c> relays to a server. Members other than <c>relaySignIn</c> only if they are set.</summary>
    private static void Relay(Utf8JsonWriter json, RelaySettings relay)
    {
        json.WriteBoolean("relaySignIn", relay.SignIn);
        if (relay.Fallback is { } fallback)
        {
            json.WriteBoolean("fallback", fallback);
        }
        if (relay.AllowTools.Count > 0)
        {
            Texts(json, "allowTools", relay.AllowTools);
        }
        if (relay.IgnoreTools.Count > 0)
        {
            Texts(json, "ignoreTools", relay.IgnoreTools);
        }
        if (relay.RequestTimeout is not null)
        {
            Number(json, "requestTimeout", relay.RequestTimeout);
        }
        if (relay.InitializeTimeout is not null)
        {
            Number(json, "initializeTimeout", relay.InitializeTimeout);
        }
    }

    public static void Vault(Utf8JsonWriter json, McpVault vault)
    {
        Text(json, "name", vault.Name);
        json.WriteBoolean("inUse", vault.InUse);
        Optional(json, "why", vault.Why);
        Text(json, "protection", vault.Protection);
    }

    public static void Test(Utf8JsonWriter json, McpTestResult result)
    {
        Text(json, "id", result.Id);
        Text(json, "name", result.Name);
        Text(json, "url", result.Url);
        json.WriteBoolean("success", result.Success);
        Number(json, "statusCode", result.StatusCode);
        Number(json, "latencyMs", (int?)result.Latency?.TotalMilliseconds);
        Optional(json, "protocolVersion", result.ProtocolVersion);
        Optional(json, "serverName", result.ServerName);
        Optional(json, "serverVersion", result.ServerVersion);
        Number(json, "toolCount", result.ToolCount);
        json.WriteString("state", JsonText.Of(result.State));
        Optional(json, "error", result.Error);
        Optional(json, "remedy", result.Remedy);
    }

    private static void Texts(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        for (var i = 0; i < values.Count; i++)
        {
            Value(json, values[i]);
        }
        json.WriteEndArray();
    }

    private static void Optional(Utf8JsonWriter json, string name, string? value)
    {
        if (value is null)
        {
            json.WriteNull(name);
        }
        else
        {
            Text(json, name, value);
        }
    }

    private static void Text(Utf8JsonWriter json, string name, string value)
    {
        json.WritePropertyName(name);
        Value(json, value);
    }

    /// <summary>Writes a string. Escapes lone surrogates itself, because the writer would replace them with U+FFFD.</summary>
    private static void Value(Utf8JsonWriter json, string value)
    {
        if (!HasLoneSurrogate(value))
        {
            json.WriteStringValue(value);
            return;
        }
        json.WriteRawValue($"\"{string.Concat(value.Select(c => char.IsAsciiLetterOrDigit(c) ? $"{c}" : $"\\u{(int)c:x4}"))}\"", skipInputValidation: true);
    }

    private static bool HasLoneSurrogate(ReadOnlySpan<char> value)
    {
        for (int next; (next = value.IndexOfAnyInRange('\ud800', '\udfff')) >= 0; value = value[(next + 2)..])
        {
            if (Rune.DecodeFromUtf16(value[next..], out _, out _) != OperationStatus.Done)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Writes the end of the lifetime, and the whole seconds until then: 0 if it has passed, null if it is not known.</summary>
    private static void Expiry(Utf8JsonWriter json, DateTimeOffset? end, DateTimeOffset now)
    {
        Time(json, "expiresAt", end);
        if (end is { } at)
        {
            json.WriteNumber("expiresIn", Math.Max(0, (long)Math.Floor((at - now).TotalSeconds)));
        }
        else
        {
            json.WriteNull("expiresIn");
        }
    }

    private static void Time(Utf8JsonWriter json, string name, DateTimeOffset? value)
    {
        if (value is not { } time)
        {
            json.WriteNull(name);
            return;
        }
        // Utf8JsonWriter would omit trailing zeros of the fraction of a second.
        Span<byte> text = stackalloc byte[40];
        time.ToUniversalTime().TryFormat(text, out var length, "O");
        json.WriteString(name, text[..length]);
    }

    private static void Number(Utf8JsonWriter json, string name, int? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
