using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using McpSm.Core;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;

namespace McpSm.Commands;

/// <summary>The one JSON document of a <c>--json</c>: camelCase, ISO 8601, an array.</summary>
internal static class JsonOutput
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // So much at a time: one text of ten thousand servers is slow to make and twice in memory.
    private const int Portion = 16 * 1024;

    // Code pages.
    private const int Utf8 = 65001;
    private const int Utf16 = 1200;

    /// <summary>Writes an array, a portion at a time. The items must be there already: half a document is none.</summary>
    public static void Array<T>(TextWriter to, IReadOnlyCollection<T> items, Action<Utf8JsonWriter, T> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        // Where the terminal's encoding lacks letters they are written as JSON can, and not as question marks.
        var isUnicode = to.Encoding.CodePage is Utf8 or Utf16;
        using var json = new Utf8JsonWriter(bytes, isUnicode ? Indented : Indented with { Encoder = JavaScriptEncoder.Default });
        char[] text = [];
        void Pass()
        {
            json.Flush();
            if (text.Length < bytes.WrittenCount)
            {
                text = new char[bytes.WrittenCount];
            }
            to.Write(text, 0, Encoding.UTF8.GetChars(bytes.WrittenSpan, text));
            bytes.ResetWrittenCount();
        }
        json.WriteStartArray();
        foreach (var item in items)
        {
            json.WriteStartObject();
            write(json, item);
            json.WriteEndObject();
            if (bytes.WrittenCount + json.BytesPending >= Portion)
            {
                Pass();
            }
        }
        json.WriteEndArray();
        Pass();
        to.WriteLine();
    }

    public static string Document(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Indented))
        {
            write(json);
        }
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    public static void Status(Utf8JsonWriter json, McpAuthStatus status)
    {
        json.WriteString("id", status.Id);
        json.WriteString("name", status.Name);
        json.WriteString("url", status.Url);
        json.WriteString("transport", status.Transport == McpTransport.Sse ? "sse" : "http");
        json.WriteString("kind", status.Kind.ToString());
        Optional(json, "tokenType", status.TokenType);
        json.WriteString("state", status.State.ToString());
        Time(json, "expiresAt", status.ExpiresAt);
        Texts(json, "scopes", status.Scopes);
        Optional(json, "issuer", status.Issuer);
        Optional(json, "signedInBy", status.SignedInBy?.ToString());
        Optional(json, "vault", status.Vault);
        json.WriteBoolean("canRenew", status.CanRenew);
        json.WriteBoolean("renewalUncertain", status.RenewalUncertain);
        Optional(json, "remedy", status.Remedy);
        Optional(json, "plaintextFile", status.PlaintextFile);
        Pending(json, status.Pending);
    }

    /// <summary>Rare, and of no meaning otherwise: written only if it is so.</summary>
    private static void Pending(Utf8JsonWriter json, bool isPending)
    {
        if (isPending)
        {
            json.WriteBoolean("pending", true);
        }
    }

    public static void IdentityProvider(Utf8JsonWriter json, McpIdentityProvider provider)
    {
        json.WriteString("issuer", provider.Issuer);
        json.WriteBoolean("isSet", provider.IsSet);
        Optional(json, "clientId", provider.ClientId);
        Texts(json, "scopes", provider.Scopes);
        json.WriteBoolean("signedIn", provider.SignedIn);
        Time(json, "signedInAt", provider.SignedInAt);
        Time(json, "expiresAt", provider.ExpiresAt);
        json.WriteBoolean("canRenew", provider.CanRenew);
        Optional(json, "vault", provider.Vault);
        Texts(json, "servers", provider.Servers);
        Optional(json, "remedy", provider.Remedy);
        Pending(json, provider.Pending);
    }

    public static void Server(Utf8JsonWriter json, McpServer server)
    {
        json.WriteString("id", server.Id);
        json.WriteString("name", server.Name);
        json.WriteString("url", server.Url);
        json.WriteString("transport", server.Transport == McpTransport.Sse ? "sse" : "http");
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
        json.WriteString("dpop", server.DPoP switch { DPoPMode.Always => "always", DPoPMode.Never => "never", _ => "auto" });
        json.WriteStartObject("authorizeParams");
        foreach (var (name, value) in server.AuthorizeParams)
        {
            json.WriteString(name, value);
        }
        json.WriteEndObject();
    }

    public static void Vault(Utf8JsonWriter json, McpVault vault)
    {
        json.WriteString("name", vault.Name);
        json.WriteBoolean("inUse", vault.InUse);
        Optional(json, "why", vault.Why);
        json.WriteString("protection", vault.Protection);
    }

    public static void Test(Utf8JsonWriter json, McpTestResult result)
    {
        json.WriteString("id", result.Id);
        json.WriteString("name", result.Name);
        json.WriteString("url", result.Url);
        json.WriteBoolean("success", result.Success);
        Number(json, "statusCode", result.StatusCode);
        Number(json, "latencyMs", (int?)result.Latency?.TotalMilliseconds);
        Optional(json, "protocolVersion", result.ProtocolVersion);
        Optional(json, "serverName", result.ServerName);
        Optional(json, "serverVersion", result.ServerVersion);
        Number(json, "toolCount", result.ToolCount);
        json.WriteString("state", result.State.ToString());
        Optional(json, "error", result.Error);
        Optional(json, "remedy", result.Remedy);
    }

    private static void Texts(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        for (var i = 0; i < values.Count; i++)
        {
            json.WriteStringValue(values[i]);
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
            json.WriteString(name, value);
        }
    }

    private static void Time(Utf8JsonWriter json, string name, DateTimeOffset? value)
    {
        if (value is not { } time)
        {
            json.WriteNull(name);
            return;
        }
        // The writer's own form leaves zeros at the end of a second's fraction out.
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
