using McpSm.Core.Errors;
using McpSm.Core.Http;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Http;

/// <summary>Whether two hosts belong to one site, and how hosts are shown.</summary>
public sealed class SameSiteTests
{
    [Theory]
    [InlineData("https://a.example", "https://a.example:8443/x", true)]
    [InlineData("https://a.example", "https://A.EXAMPLE./", true)]
    [InlineData("https://login.a.example", "https://a.example", true)]
    [InlineData("https://a.example", "https://b.c.a.example", true)]
    [InlineData("https://login.a.example", "https://token.a.example", true)]
    [InlineData("https://intranet", "https://login.intranet", true)]
    [InlineData("https://10.0.0.1", "https://10.0.0.1:1", true)]
    [InlineData("https://[fd00::1]", "https://[fd00:0::1]:1", true)]
    [InlineData("https://b\u00fccher.example", "https://xn--bcher-kva.example", true)]
    [InlineData("https://a.example", "https://b.example", false)]
    [InlineData("https://a.example", "https://nota.example", false)]
    [InlineData("https://a.example", "https://a.example.evil.test", false)]
    [InlineData("https://intranet", "https://notintranet", false)]
    [InlineData("https://10.0.0.1", "https://9.0.0.1", false)]
    [InlineData("https://10.0.0.1", "https://1.10.0.0.1.example", false)]
    [InlineData("http://localhost", "http://127.0.0.1", false)]
    public void Hosts_of_one_site_are_equal_or_share_their_last_labels(string a, string b, bool same)
    {
        Assert.Equal(same, SameSite.IsSame(new Uri(a), new Uri(b)));
        Assert.Equal(same, SameSite.IsSame(new Uri(b), new Uri(a)));
    }

    [Rule(32)]
    [Theory]
    [InlineData("https://b\u00fccher.example/a?b=c", "https://xn--bcher-kva.example/a?b=c")]
    [InlineData("https://\u0430pple.example:8443/", "https://xn--pple-43d.example:8443/")]
    [InlineData("https://a.example/\u0430", "https://a.example/\u0430")]
    [InlineData("b\u00fccher says https://b\u00fccher.example", "b\u00fccher says https://b\u00fccher.example")]
    [InlineData("http\u00fc", "http\u00fc")]
    public void Url_from_the_network_is_shown_with_an_ASCII_host(string text, string shown) =>
        Assert.Equal(shown, UntrustedText.Sanitize(text));

    [Rule(28)]
    [Fact]
    public void Url_that_is_requested_has_an_ASCII_host()
    {
        var url = new UrlPolicy().Check("https://b\u00fccher.example/a?b=c#d", "It");
        Assert.Equal(("https://xn--bcher-kva.example/a?b=c#d", url.AbsoluteUri), (url.AbsoluteUri, url.OriginalString));
    }
}
