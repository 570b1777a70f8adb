using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using Xunit;

namespace McpSm.Core.Tests.Servers;

public sealed class ServerLookupTests
{
    private static readonly McpServer[] Both =
    [
        new() { Id = "one", Name = "API", Url = "https://a.example/mcp?key=1" },
        new() { Id = "two", Name = "api", Url = "https://b.example/mcp" },
        new() { Id = "three", Name = "Other", Url = "https://b.example/mcp" },
        new() { Id = "four", Name = "Straße", Url = "https://c.example" },
    ];

    [Theory]
    [InlineData("API", "one")]
    [InlineData("api", "two")]
    [InlineData("two", "two")]
    [InlineData("TWO", "two")]
    [InlineData("other", "three")]
    [InlineData("STRAßE", "four")]
    [InlineData("https://a.example/mcp?key=1", "one")]
    [InlineData("HTTPS://A.example:443/mcp?key=1", "one")]
    [InlineData("https://c.example/", "four")]
    public void Text_that_identifies_one_server_finds_it(string text, string id) => Assert.Equal(id, ServerLookup.Get(Both, text).Id);

    [Theory]
    [InlineData("Api", "Several servers have that name: API (id one), api (id two).")]
    [InlineData("https://b.example/mcp", "Several servers have that URL: api (id two), Other (id three).")]
    public void Text_that_matches_several_servers_is_an_error_with_their_names(string text, string message)
    {
        var e = Assert.Throws<McpAuthException>(() => ServerLookup.Get(Both, text));
        Assert.Equal((ErrorReason.InvalidValue, message), (e.Reason, e.Message));
    }

    [Theory]
    [InlineData("https://d.example/mcp", "https://d.example/mcp")]
    [InlineData("https://d.example/mcp?key=secret", "<url>")]
    [InlineData("https://me:secret@d.example/mcp", "<url>")]
    public void Url_of_no_server_is_an_error_that_recommends_adding_it(string url, string shown)
    {
        var e = Assert.Throws<McpAuthException>(() => ServerLookup.Get(Both, url));
        Assert.Equal((ErrorReason.ServerNotFound, "The catalog does not have a server with that URL."), (e.Reason, e.Message));
        Assert.EndsWith($" --url {shown}", e.Remedy.InShell());
        Assert.DoesNotContain("secret", $"{e.Message} {e.Remedy.InShell()} {e.Server}");
    }

    [Theory]
    [InlineData("MY-API")]
    [InlineData("my-api")]
    [InlineData("My-Id")]
    public async Task Name_that_differs_only_in_case_is_refused(string name)
    {
        using var work = new TestEnvironment();
        var first = await work.AddAsync(new Uri("https://a.example/mcp"), s => new(s) { Name = "my id" });
        await work.Authenticator.Servers.UpdateAsync(first, new ServerUpdate { Name = "My-API" }, Cancellation);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.AddAsync(new Uri("https://b.example/mcp"), s => new(s) { Name = name }));
        Assert.Equal(ErrorReason.ServerAlreadyExists, e.Reason);
        Assert.Contains("'My-API'", e.Message);
        var other = await work.AddAsync(new Uri("https://b.example/mcp"), s => new(s) { Name = "other" });
        e = await Assert.ThrowsAsync<McpAuthException>(() => work.Authenticator.Servers.UpdateAsync(other, new ServerUpdate { Name = name }, Cancellation));
        Assert.Equal(ErrorReason.ServerAlreadyExists, e.Reason);
        // The server can change the case of its own name.
        Assert.Equal(name, (await work.Authenticator.Servers.UpdateAsync(first, new ServerUpdate { Name = name }, Cancellation)).Server.Name);
    }

    [Fact]
    public async Task Remedy_of_a_name_clash_changes_no_server()
    {
        using var work = new TestEnvironment();
        await work.AddAsync(new Uri("https://a.example/mcp"));
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.AddAsync(new Uri("https://b.example/mcp")));
        Assert.DoesNotContain("update", e.Remedy.InShell());
    }

    [Fact]
    public async Task Url_with_a_name_finds_or_adds_the_server_of_that_name()
    {
        using var work = new TestEnvironment();
        var (first, _) = await work.Authenticator.Servers.FindOrAddAsync("https://a.example/mcp", "Mine", Cancellation);
        var (again, isNew) = await work.Authenticator.Servers.FindOrAddAsync("https://a.example/mcp", "mine", Cancellation);
        Assert.Equal(("Mine", first.Id, false), (first.Name, again.Id, isNew));
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.Authenticator.Servers.FindOrAddAsync("https://b.example/mcp", "MINE", Cancellation));
        Assert.Equal(ErrorReason.ServerAlreadyExists, e.Reason);
        await work.Authenticator.Servers.FindOrAddAsync("https://a.example/mcp", "Second", Cancellation);
        e = await Assert.ThrowsAsync<McpAuthException>(() => work.Authenticator.Servers.FindOrAddAsync("https://a.example/mcp", Cancellation));
        Assert.Equal("Several servers have that URL: Mine (id mine), Second (id second).", e.Message);
    }
}
