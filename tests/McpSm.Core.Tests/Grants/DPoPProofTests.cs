using System.Buffers.Text;
using System.Text.Json;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Samples;
using McpSm.TestServers;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Core.Tests.Grants;

/// <summary>The DPoP proof and its key (RFC 9449).</summary>
public sealed class DPoPProofTests
{
    [Rule(35)]
    [Theory]
    [InlineData("https://server.example/mcp?session=1#part", "https://server.example/mcp")]
    [InlineData("HTTPS://Server.Example:443/a/../mcp", "https://server.example/mcp")]
    [InlineData("http://127.0.0.1:8080", "http://127.0.0.1:8080/")]
    [InlineData("https://user:word@server.example/m%20c", "https://server.example/m%20c")]
    [InlineData("https://b\u00fccher.example/mcp", "https://xn--bcher-kva.example/mcp")]
    [InlineData("https://[2001:DB8::1]:8443/mcp", "https://[2001:db8::1]:8443/mcp")]
    public void DPoP_proof_names_the_request_as_sent(string uri, string htu)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);
        var proof = DPoPProof.Create(DPoPKey.Create(), HttpMethod.Get, new Uri(uri), now, "token", "n1");
        var (header, claims) = Read(proof);
        Assert.Equal(("dpop+jwt", "ES256"), (header.GetProperty("typ").GetString(), header.GetProperty("alg").GetString()));
        Assert.Equal(["crv", "kty", "x", "y"], header.GetProperty("jwk").EnumerateObject().Select(m => m.Name).Order());
        Assert.Equal((htu, "GET", "n1"),
            (claims.GetProperty("htu").GetString(), claims.GetProperty("htm").GetString(), claims.GetProperty("nonce").GetString()));
        Assert.Equal(1_700_000_000, claims.GetProperty("iat").GetInt64());
        // SHA-256 of "token", computed with openssl.
        Assert.Equal("PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A", claims.GetProperty("ath").GetString());
    }

    [Rule(35)]
    [Fact]
    public void DPoP_proof_is_accepted_once_for_its_request_and_key()
    {
        var key = DPoPKey.Create();
        var proofs = new DPoPProofs(TimeProvider.System, requireNonce: false);
        var uri = new Uri("https://server.example/mcp");
        string Make(HttpMethod? method = null, string? token = "t", TimeSpan age = default) =>
            DPoPProof.Create(key, method ?? HttpMethod.Post, uri, DateTimeOffset.UtcNow - age, token, null);
        string? Verify(string proof) => proofs.Verify(Request(proof), "t");

        var good = Make();
        Assert.Equal(key.Thumbprint(), Verify(good));
        Assert.Equal("invalid_dpop_proof", Assert.Throws<DPoPException>(() => Verify(good)).Error);
        Assert.NotEqual(Make(), Make());
        Assert.All([Make(HttpMethod.Get), Make(token: "other"), Make(token: null), Make(age: TimeSpan.FromMinutes(5)), good[..^4] + "AAAA"],
            bad => Assert.Equal("invalid_dpop_proof", Assert.Throws<DPoPException>(() => Verify(bad)).Error));
        Assert.NotEqual(key.Thumbprint(), DPoPKey.Create().Thumbprint());
    }

    [Rule(35)]
    [Fact]
    public void DPoP_key_is_not_printed_and_damage_is_detected()
    {
        var key = DPoPKey.Create();
        var credential = new OAuthCredential { AccessToken = "a", Resource = "r", Client = new(ClientKind.Dynamic, "c", null, "none"), DPoPKey = key };
        var tokens = new TokenSet("a", null, default, null, []) { Key = key };
        Assert.All([key.ToString(), $"{credential}", $"{tokens}", $"{new SenderConstraint(key)}"], text => Assert.DoesNotContain(key.Pkcs8, text));
        Assert.Equal(ErrorReason.VaultCorrupt, Assert.Throws<McpAuthException>(() => new DPoPKey { Pkcs8 = "AAAA" }.Thumbprint()).Reason);
        Assert.Equal(ErrorReason.VaultCorrupt, Assert.Throws<McpAuthException>(() => new DPoPKey { Pkcs8 = "%" }.Thumbprint()).Reason);
    }

    [Rule(35)]
    [Theory]
    [InlineData("eyJ7S_zG.eyJH0-Z.HX4w-7v", true)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("a\"b", false)]
    [InlineData("a\\b", false)]
    [InlineData("\u00e4", false)]
    public void DPoP_nonce_must_have_valid_syntax(string nonce, bool valid)
    {
        Assert.Equal(valid, DPoPNonceCache.IsValid(nonce));
        Assert.False(DPoPNonceCache.IsValid(new string('n', 2000)));
    }

    private static HttpRequest Request(string proof)
    {
        var request = new DefaultHttpContext().Request;
        (request.Method, request.Scheme, request.Host, request.Path) = ("POST", "https", new HostString("server.example"), "/mcp");
        request.Headers["DPoP"] = proof;
        return request;
    }

    internal static (JsonElement Header, JsonElement Claims) Read(string? proof)
    {
        var parts = proof!.Split('.');
        return (JsonDocument.Parse(Base64Url.DecodeFromChars(parts[0])).RootElement, JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1])).RootElement);
    }
}
