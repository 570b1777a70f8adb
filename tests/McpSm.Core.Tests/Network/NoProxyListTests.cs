using McpSm.Core.Network;
using Xunit;

namespace McpSm.Core.Tests.Network;

/// <summary>The hosts that are reached without a proxy.</summary>
public sealed class NoProxyListTests
{
    [Theory]
    [InlineData("*", "https://any.example", true)]
    [InlineData("example.com", "https://example.com", true)]
    [InlineData("example.com", "https://api.EXAMPLE.com", true)]
    [InlineData(".example.com", "https://api.example.com", true)]
    [InlineData("*.example.com", "https://api.example.com", true)]
    [InlineData("example.com", "https://notexample.com", false)]
    [InlineData("a.example, b.example", "https://b.example", true)]
    [InlineData("a.example b.example", "https://b.example", true)]
    [InlineData("example.com:8443", "https://example.com:8443", true)]
    [InlineData("example.com:8443", "https://example.com", false)]
    [InlineData("10.0.0.0/8", "https://10.1.2.3", true)]
    [InlineData("10.0.0.0/8", "https://11.1.2.3", false)]
    [InlineData("10.0.0.0/8", "https://ten.example", false)]
    [InlineData("192.168.1.1", "https://192.168.1.1", true)]
    [InlineData("192.168.1.1:443", "https://192.168.1.1", true)]
    [InlineData("fd00::/8", "https://[fd00::5]", true)]
    [InlineData("[fd00::5]", "https://[fd00::5]", true)]
    [InlineData("", "https://example.com", false)]
    [InlineData(". , ,:", "https://example.com", false)]
    [InlineData(null, "https://example.com", false)]
    public void Host_is_found_as_other_programs_read_NO_PROXY(string? list, string url, bool isFound) =>
        Assert.Equal(isFound, new NoProxyList(list).Contains(new Uri(url)));
}
