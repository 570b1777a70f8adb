using System.Net;
using System.Text;
using System.Text.Json;
using CsCheck;
using Duende.IdentityModel.Client;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Servers;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Discovery;

/// <summary>Random input from the network is either read or refused with our exception.</summary>
public sealed class PropertyTests
{
    /// <summary>The number of cases for each property. A million cases take a few minutes.</summary>
    public static long Cases { get; } = long.TryParse(Environment.GetEnvironmentVariable("MCPSM_PROPERTY_CASES"), out var cases) ? cases : 5000;

    private static readonly Gen<string> Word = Gen.Frequency(
        (4, Gen.OneOf("", "x", "Bearer", "bearer", "DPoP", "S256", "a b", "invalid_grant", "access_denied", "https://a.example/x",
            "http://a.example", "javascript:alert(1)", "//", "\\ud800", "\\udc00x", "\\u0000", "\\u202e", "1e999", "-1", "3600", "é", "日本")),
        (1, Gen.String[Gen.Char['!', '~'], 0, 20].Select(s => JsonEncodedText.Encode(s).ToString())));

    /// <summary>Generates JSON text, which can hold values that .NET strings and numbers cannot: lone surrogates and huge numbers.</summary>
    internal static Gen<string> Value(int depth)
    {
        var leaf = Gen.OneOf(
            Word.Select(w => $"\"{w}\""),
            Gen.OneOf("null", "true", "false", "0", "-1", "3600", "1e999", "-1e400", "99999999999999999999999", "0.5", "9223372036854775808"));
        return depth == 0 ? leaf : Gen.Frequency(
            (6, leaf),
            (2, Value(depth - 1).Array[0, 3].Select(all => $"[{string.Join(',', all)}]")),
            (1, Object(["a", "b"], depth - 1)));
    }

    private static Gen<string> Object(string[] names, int depth = 2) =>
        Gen.Select(Gen.Frequency((20, Gen.OneOf(names)), (1, Gen.OneOf("\\ud800", "\\u0000", "x"))), Value(depth)).Array[0, names.Length * 2]
            .Select(all => "{" + string.Join(',', all.Select(m => $"\"{m.Item1}\":{m.Item2}")) + "}");

    /// <summary>Generates response bodies: objects with these members, other JSON, and cut or damaged objects.</summary>
    internal static Gen<byte[]> Body(params string[] names)
    {
        var whole = Object(names).Select(Encoding.UTF8.GetBytes);
        return Gen.Frequency(
            (6, whole),
            (1, Value(3).Select(Encoding.UTF8.GetBytes)),
            (1, Gen.Select(whole, Gen.Double[0, 1]).Select((b, part) => b[..(int)(b.Length * part)])),
            (1, Gen.Select(whole, Gen.Int[0, 1 << 20], Gen.Byte).Select((b, at, with) =>
            {
                var damaged = (byte[])b.Clone();
                damaged[at % b.Length] = with;
                return damaged;
            })),
            (1, Gen.Byte.Array[0, 30]));
    }

    /// <summary>Returns true if the action succeeds and false if it throws our exception. Any other exception fails the test.</summary>
    private static bool Done(Action action) => DoneAsync(() =>
    {
        action();
        return Task.CompletedTask;
    }).GetAwaiter().GetResult();

    internal static async Task<bool> DoneAsync(Func<Task> action)
    {
        try
        {
            await action();
            return true;
        }
        catch (McpAuthException e)
        {
            Assert.NotEmpty(e.Message);
            Assert.DoesNotContain(e.Message, char.IsControl);
            return false;
        }
    }

    [Rule(20)]
    [Fact]
    public void Canonical_URI_of_a_server_covers_the_server()
    {
        var host = Gen.OneOf("a.example", "A.Example", "localhost", "127.0.0.1", "[::1]", "bücher.example", "xn--bcher-kva.example");
        var path = Gen.String[Gen.Char["ab/.%~ é;:@!$&'()*+,=2F-_"], 0, 20];
        Gen.Select(Gen.OneOf("http", "HTTPS", "https"), host, Gen.OneOf("", ":", ":80", ":443", ":8080"), path,
            Gen.OneOf("", "?", "?a=b", "?a/=%2f/")).Sample((scheme, name, port, rest, query) =>
        {
            if (!Uri.TryCreate($"{scheme}://{name}{port}/{rest}{query}", UriKind.Absolute, out var url))
            {
                return;
            }
            var canonical = ResourceUri.Canonical(url);
            Assert.True(ResourceUri.Covers(canonical, url), $"{canonical} does not cover {url.OriginalString}");
            Assert.Equal(canonical, ResourceUri.Canonical(new Uri(canonical)));
            Assert.True(query.Length > 0 || !canonical.EndsWith('/'));
        }, iter: Cases);
    }

    [Rule(32)]
    [Fact]
    public void Token_response_is_usable_or_refused()
    {
        var seen = 0;
        Gen.Select(Body("access_token", "access_token", "token_type", "expires_in", "refresh_token", "scope", "error", "error_description"),
            Gen.OneOf(200, 200, 200, 201, 302, 400, 401, 429, 503)).Sample((body, status) =>
        {
            using var message = new HttpResponseMessage((HttpStatusCode)status) { Content = new ByteArrayContent(body) };
            using var response = ProtocolResponse.FromHttpResponseAsync<TokenResponse>(message).GetAwaiter().GetResult();
            if (Done(() =>
            {
                var tokens = TokenSet.Read(response, ["asked"], DateTimeOffset.UtcNow);
                Assert.True(BearerToken.IsValid(tokens.AccessToken));
                Assert.All(tokens.Scopes, s => Assert.True(Scopes.IsValid(s)));
                Assert.NotEqual("", tokens.RefreshToken);
                AssertStored(tokens);
            }))
            {
                Interlocked.Increment(ref seen);
            }
        }, iter: Cases);
        Assert.True(seen > 50, $"only {seen} answers were good enough to try the reading");
    }

    /// <summary>Requires that the tokens survive a round trip through a vault.</summary>
    private static void AssertStored(TokenSet tokens)
    {
        var item = new ServerSecrets
        {
            Url = "https://server.example/mcp",
            OAuth = new OAuthCredential
            {
                AccessToken = "",
                Issuer = "https://issuer.example",
                Resource = "https://server.example/mcp",
                Client = new ClientIdentity(ClientKind.Dynamic, "client", null, ClientIdentity.None),
            }.With(tokens),
        };
        var stored = JsonSerializer.Deserialize(JsonSerializer.Serialize(item, CredentialJson.Default.ServerSecrets),
            CredentialJson.Default.ServerSecrets)!.OAuth!;
        Assert.Equal((tokens.AccessToken, tokens.RefreshToken, tokens.IssuedAt, tokens.ExpiresAt),
            (stored.AccessToken, stored.RefreshToken, stored.IssuedAt, stored.ExpiresAt));
        Assert.Equal(tokens.Scopes, stored.Scopes);
    }

    [Fact]
    public void Metadata_document_is_read_or_refused() =>
        Body("issuer", "token_endpoint", "scopes_supported", "code_challenge_methods_supported").Sample(body =>
        {
            Done(() =>
            {
                var document = MetadataDocument.Parse(new HttpDocument(200, "application/json", body), "It");
                foreach (var name in new[] { "issuer", "token_endpoint", "scopes_supported", "none" })
                {
                    Assert.NotEqual("", document.Optional(name));
                    document.Strings(name);
                    document.IsTrue(name);
                }
                Assert.NotEmpty(document.Required("issuer"));
            });
        }, iter: Cases);

    [Rule(27, 28, 30)]
    [Fact]
    public void Url_passes_the_policy_or_is_refused()
    {
        var policies = new[] { new UrlPolicy(new Uri("https://server.example/mcp")), new UrlPolicy(new Uri("http://127.0.0.1:1/mcp")), new UrlPolicy() };
        var parts = Gen.OneOf("http", "https", "HTTPS", "file", "javascript", "data", ":", "://", "//", "/", "\\", "@", "user:pw@", "[", "]", "::1",
            "[::1]", "[fe80::1%25eth0]", "127.0.0.1", "2130706433", "0x7f.1", "localhost", "a.example", "xn--", "xn--a", "xn--bcher-kva.example", "bücher",
            "\ud800", "\u202e", "。", ":80", ":99999", ":-1", "%", "%2F", "%00", " ", "\t", "?", "#", "..", "é", new string('a', 300));
        Gen.OneOf(
            parts.Array[0, 8].Select(string.Concat),
            Gen.Select(Gen.OneOf("http://", "https://"), parts.Array[1, 4]).Select((scheme, rest) => scheme + string.Concat(rest)),
            Gen.String[0, 20]).Sample(url =>
        {
            foreach (var policy in policies)
            {
                Done(() =>
                {
                    var uri = policy.Check(url, "It");
                    Assert.True(uri.Scheme == "https" || (uri.Scheme == "http" && UrlPolicy.IsLoopbackHost(uri.IdnHost)));
                    Assert.Empty(uri.UserInfo);
                    Assert.True(policy != policies[0] || !UrlPolicy.IsLoopbackHost(uri.IdnHost));
                    Assert.Equal(uri.AbsoluteUri, policy.Check(uri.AbsoluteUri, "It").AbsoluteUri);
                });
            }
            Done(() =>
            {
                var server = ServerUrl.Parse(url);
                var canonical = ResourceUri.Canonical(server);
                Assert.Equal(canonical, ResourceUri.Canonical(ServerUrl.Parse(canonical)));
                Assert.True(ResourceUri.Covers(canonical, server), $"{canonical} does not cover {url}");
            });
            ResourceUri.Covers(url, new Uri("https://server.example/mcp"));
            using var moved = new HttpResponseMessage(HttpStatusCode.Found);
            moved.Headers.TryAddWithoutValidation("Location", url);
            Assert.True(UrlPolicy.Target(moved, new Uri("https://server.example/mcp")) is null or { IsAbsoluteUri: true });
        }, iter: Cases);
    }

    [FieldFault(1)]
    [Rule(2)]
    [Fact]
    public void Challenges_survive_printing_and_parsing()
    {
        var seen = 0;
        var piece = Gen.OneOf("Bearer", "Basic", "Negotiate", "a", "x1~", "realm", "scope", "resource_metadata", " ", "  ", "\t", ",", ", ", "=", "==", "\"",
            "\"a b\"", "\"expired, scope=evil\"", "\\", "\\\"", "/", "abc==", "https://a.example/x", "é", "\0", "\r\n", "\u202e");
        Gen.OneOf(piece.Array[0, 12].Select(string.Concat), Gen.String[Gen.Char["aB=, \"\\\t/~x1é"], 0, 40]).Sample(text =>
        {
            var first = Challenge.ParseAll(text);
            var again = Challenge.ParseAll(string.Join(", ", first));
            Assert.Equal(first.Select(c => (c.Scheme, c.Token68, c.ToString())), again.Select(c => (c.Scheme, c.Token68, c.ToString())));
            foreach (var (one, other) in first.Zip(again))
            {
                Assert.Equal((one["scope"], one["realm"], one["resource_metadata"]), (other["scope"], other["realm"], other["resource_metadata"]));
                Assert.Equal(one.Scopes, other.Scopes);
                Interlocked.Increment(ref seen);
            }
        }, iter: Cases);
        Assert.True(seen > Cases / 10, $"only {seen} challenges were found to print");
    }

    [Rule(8)]
    [Fact]
    public void Scopes_survive_joining_and_splitting() =>
        Gen.OneOf(Gen.String[0, 40], Gen.String[Gen.Char["ab:/. \t\r\n\"\\é\0"], 0, 40]).Sample(text =>
        {
            var scopes = Scopes.Split(text);
            Assert.All(scopes, s => Assert.True(Scopes.IsValid(s)));
            Assert.Equal(scopes, Scopes.Split(Scopes.Join(scopes)));
        }, iter: Cases);

    [Fact]
    public void Id_made_of_a_name_is_a_stable_id()
    {
        var word = Gen.OneOf("my", "api", "My API", "status", "LOGIN", "set", "Token", "help", " ", "-", "--", ".", "!", "é", "日本", "_",
            "7", "\u202e", "\t", "\ud800");
        Gen.OneOf(word.Array[0, 5].Select(string.Concat), Gen.String[0, 70]).Sample(name =>
        {
            Done(() =>
            {
                var id = ServerName.ToSlug(name);
                Assert.True(ServerName.IsId(id));
                Assert.Equal(id, ServerName.ToSlug(id));
            });
        }, iter: Cases);
    }

    [Rule(32)]
    [Fact]
    public void Untrusted_text_becomes_one_short_visible_line() =>
        Gen.String[0, 400].Sample(text =>
        {
            var clean = UntrustedText.Sanitize(text);
            Assert.True(clean.Length <= 300);
            Assert.DoesNotContain(clean, char.IsControl);
            Assert.Equal(clean.Trim(), clean);
            Assert.Equal(clean, UntrustedText.Sanitize(clean));
        }, iter: Cases);
}
