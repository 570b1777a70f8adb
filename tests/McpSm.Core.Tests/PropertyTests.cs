using System.Net;
using System.Text;
using System.Text.Json;
using CsCheck;
using Duende.IdentityModel.Client;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Servers;
using Xunit;

namespace McpSm.Core.Tests;

/// <summary>What strangers send, at random: it is read, or refused as ours, and nothing else happens.</summary>
public sealed class PropertyTests
{
    private static readonly Gen<string> Word = Gen.Frequency(
        (4, Gen.OneOf("", "x", "Bearer", "bearer", "DPoP", "S256", "a b", "invalid_grant", "access_denied", "https://a.example/x",
            "http://a.example", "javascript:alert(1)", "//", "\\ud800", "\\udc00x", "\\u0000", "\\u202e", "1e999", "-1", "3600", "é", "日本")),
        (1, Gen.String[Gen.Char['!', '~'], 0, 20].Select(s => JsonEncodedText.Encode(s).ToString())));

    /// <summary>JSON text, so that it may hold what no string of ours can: halves of surrogate pairs, huge numbers.</summary>
    private static Gen<string> Value(int depth)
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
        Gen.Select(Gen.OneOf(names), Value(depth)).Array[0, names.Length * 2]
            .Select(all => "{" + string.Join(',', all.Select(m => $"\"{m.Item1}\":{m.Item2}")) + "}");

    /// <summary>Bodies: objects of these members, other JSON, and what is left when an object is cut or damaged.</summary>
    private static Gen<byte[]> Body(params string[] names)
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

    /// <summary>True where it was done, false where it was refused as ours; all else fails the test.</summary>
    private static bool Done(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (McpAuthException e)
        {
            Assert.NotEmpty(e.Message);
            Assert.DoesNotContain(e.Message, char.IsControl);
            return false;
        }
    }

    [Fact]
    public void Rule_20_A_servers_canonical_uri_covers_it()
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
        }, iter: 5000);
    }

    [Fact]
    public void Rule_32_A_token_answer_is_a_usable_token_or_refused_as_ours()
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
            }))
            {
                Interlocked.Increment(ref seen);
            }
        }, iter: 5000);
        Assert.True(seen > 50, $"only {seen} answers were good enough to try the reading");
    }

    [Fact]
    public void A_metadata_document_is_read_member_by_member_or_refused_as_ours() =>
        Body("issuer", "token_endpoint", "scopes_supported", "code_challenge_methods_supported").Sample(body =>
        {
            Done(() =>
            {
                var document = MetadataDocument.Parse(new HttpAnswer(200, "application/json", body), "It");
                foreach (var name in new[] { "issuer", "token_endpoint", "scopes_supported", "none" })
                {
                    Assert.NotEqual("", document.Optional(name));
                    document.Strings(name);
                    document.IsTrue(name);
                }
                Assert.NotEmpty(document.Required("issuer"));
            });
        }, iter: 5000);

    [Fact]
    public void Rules_27_28_30_A_url_passes_the_policy_or_is_refused_as_ours()
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
                });
            }
            Done(() => ServerUrl.Parse(url));
            ResourceUri.Covers(url, new Uri("https://server.example/mcp"));
            using var moved = new HttpResponseMessage(HttpStatusCode.Found);
            moved.Headers.TryAddWithoutValidation("Location", url);
            Assert.True(UrlPolicy.Target(moved, new Uri("https://server.example/mcp")) is null or { IsAbsoluteUri: true });
        }, iter: 5000);
    }

    [Fact]
    public void Rule_32_Foreign_text_is_one_short_line_of_visible_characters() =>
        Gen.String[0, 400].Sample(text =>
        {
            var clean = ForeignText.Clean(text);
            Assert.True(clean.Length <= 300);
            Assert.DoesNotContain(clean, char.IsControl);
            Assert.Equal(clean.Trim(), clean);
            Assert.Equal(clean, ForeignText.Clean(clean));
        }, iter: 5000);
}
