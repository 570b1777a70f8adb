using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Http;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Discovery;

public sealed class ParserTests
{
    [Fact]
    public void Challenges_in_one_header_are_split_outside_quotes()
    {
        var all = Challenge.ParseAll("""Basic realm="x", Bearer error="invalid_token", error_description="expired, scope=evil, log in", """
            + """scope="a b", Negotiate abc==""");
        Assert.Equal(["Basic", "Bearer", "Negotiate"], all.Select(c => c.Scheme));
        Assert.Equal("expired, scope=evil, log in", all[1]["error_description"]);
        Assert.Equal(["a", "b"], all[1].Scopes!);
        Assert.Equal("abc==", all[2].Token68);
    }

    [FieldFault(20)]
    [Rule(2)]
    [Fact]
    public void Unquoted_value_ends_at_a_comma_or_a_space()
    {
        var all = Challenge.ParseAll("Bearer resource_metadata=https://a.example/.well-known/x?y=z, error=invalid_token scope=a:b/c, Basic realm=x");
        Assert.Equal(["Bearer", "Basic"], all.Select(c => c.Scheme));
        Assert.Equal(("https://a.example/.well-known/x?y=z", "invalid_token", "a:b/c"), (all[0]["resource_metadata"], all[0]["error"], all[0]["scope"]));
    }

    [Rule("7a")]
    [Theory]
    [InlineData("https://a.example/mcp", "https://a.example/mcp", true)]
    [InlineData("https://a.example", "https://a.example/mcp", true)]
    [InlineData("https://a.example/mcp/", "https://a.example/mcp", true)]
    [InlineData("https://A.example/mcp", "https://a.example/mcp", true)]
    [InlineData("https://a.example/mc", "https://a.example/mcp", false)]
    [InlineData("https://a.example/mcp/x", "https://a.example/mcp", false)]
    [InlineData("http://a.example/mcp", "https://a.example/mcp", false)]
    [InlineData("https://a.example:444/mcp", "https://a.example/mcp", false)]
    [InlineData("https://b.example/mcp", "https://a.example/mcp", false)]
    [InlineData("not a url", "https://a.example/mcp", false)]
    public void Resource_covers_URLs_of_its_origin_below_its_path(string resource, string server, bool covers) =>
        Assert.Equal(covers, ResourceUri.Covers(resource, new Uri(server)));

    [Rule(28, 30)]
    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("file:///etc/passwd")]
    [InlineData("data:text/html,x")]
    [InlineData("http://public.example/x")]
    [InlineData("https://user:pw@public.example/x")]
    [InlineData("https://127.0.0.1/x")]
    [InlineData("https://localhost/x")]
    [InlineData("https://[::1]/x")]
    [InlineData("https://[::ffff:127.0.0.1]/x")]
    [InlineData("https://169.254.169.254/latest")]
    [InlineData("https://0.0.0.0/x")]
    [InlineData("/relative")]
    public void Unsafe_URL_of_a_public_server_is_refused(string url) =>
        Assert.Equal(ErrorReason.UnsafeEndpoint, Assert.Throws<McpAuthException>(() =>
            new UrlPolicy(new Uri("https://server.example/mcp")).Check(url, "It")).Reason);
}
