using System.Reflection;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Formats;

/// <summary><c>config.json</c>, which Mcpsm shares with the npm tool.</summary>
public sealed class ConfigFileFormatTests
{
    /// <summary>The file as Mcpsm writes it.</summary>
    private static GoldenFile Written => GoldenFile.OfCore("config.json");

    /// <summary>The file as the npm tool writes it, with secrets in plaintext and members of other programs.</summary>
    private static GoldenFile OfNpm => GoldenFile.OfCore("npm/config.json");

    private static McpServer AllFields => new()
    {
        Id = "all-fields",
        Name = "All fields",
        Transport = McpTransport.Http,
        Url = "https://all-fields.example/mcp",
        OAuth = OAuthMode.On,
        ClientId = "made-up-client",
        ClientMetadataUrl = "https://client.example/metadata.json",
        Scopes = ["mcp:tools", "mcp:read"],
        Issuer = SampleCredentials.Issuer,
        AllowLegacyEndpoints = true,
        DPoP = DPoPMode.Always,
        AuthorizeParams = new Dictionary<string, string> { ["audience"] = "https://all-fields.example", ["max_age"] = "0" },
        Resource = "https://other.example/mcp",
        Relay = new RelaySettings
        {
            SignIn = true,
            Fallback = true,
            AllowTools = ["get_*", "list_*"],
            IgnoreTools = ["*_secret"],
            RequestTimeout = 300,
            InitializeTimeout = 15,
        },
    };

    private static IReadOnlyList<McpServer> Servers =>
    [
        AllFields,
        new() { Id = "expiring", Name = "expiring", Transport = McpTransport.Sse, Url = "https://expiring.example/mcp", DPoP = DPoPMode.Never },
        new() { Id = "expired", Name = "expired", Url = "https://expired.example/mcp" },
        new() { Id = "unknown", Name = "unknown", Url = "https://unknown.example/mcp" },
        new() { Id = "bearer", Name = "bearer", Url = "https://bearer.example/mcp" },
        new() { Id = "open", Name = "open", Url = "https://open.example/mcp" },
        new() { Id = "off", Name = "off", Url = "https://off.example/mcp", OAuth = OAuthMode.Off },
        new() { Id = "none", Name = "none", Url = "https://none.example/mcp" },
    ];

    [Fact]
    public async Task Servers_added_one_by_one_equal_the_golden_file()
    {
        using var work = new TestEnvironment();
        foreach (var server in Servers)
        {
            Assert.Equal(server.Id, (await work.Authenticator.Catalog.AddAsync(server, Cancellation)).Id);
        }
        Written.RequireEqual(File.ReadAllBytes(work.Home.PathOf("config.json")));
    }

    [Fact]
    public void Golden_file_is_read_as_the_same_servers()
    {
        using var work = new TestEnvironment();
        Written.CopyTo(work.Folder);
        Assert.Equivalent(Servers, new ServerCatalog(work.Home).List(), strict: true);
    }

    [Fact]
    public void Setting_of_a_server_is_in_the_golden_file()
    {
        using var work = new TestEnvironment();
        Written.CopyTo(work.Folder);
        var server = new ServerCatalog(work.Home).Get("all-fields");
        var without = from property in typeof(McpServer).GetProperties(BindingFlags.Public | BindingFlags.Instance)
                      where property.GetValue(server) switch
                      {
                          null => true,
                          Enum value => Convert.ToInt32(value) == 0,
                          bool value => !value,
                          System.Collections.ICollection values => values.Count == 0,
                          IEnumerable<string> values => !values.Any(),
                          _ => false,
                      }
                      select property.Name;
        // The index, credentials.json, holds two of them. The transport is the default, and another server has the other transport.
        Assert.Equal(3, without.Count());
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("npm/config.json")]
    public async Task Golden_file_with_an_unchanged_server_written_stays_byte_equal(string name)
    {
        using var work = new TestEnvironment();
        GoldenFile.OfCore(name).CopyTo(work.Folder);
        foreach (var server in new ServerCatalog(work.Home).List())
        {
            await new ServerCatalog(work.Home).UpdateAsync(server.Id, s => s, Cancellation);
        }
        GoldenFile.OfCore(name).RequireEqual(File.ReadAllBytes(work.Home.PathOf("config.json")));
    }

    [Fact]
    public void Plaintext_secrets_of_the_npm_tool_are_read()
    {
        using var work = new TestEnvironment();
        OfNpm.CopyTo(work.Folder);
        var plaintext = Assert.Single(new ServerCatalog(work.Home).List()).Plaintext;
        Assert.Equal("made-up-bearer-token", plaintext.BearerToken);
        Assert.Equal("made-up-client-secret", plaintext.ClientSecret);
        Assert.Equal(new Dictionary<string, string> { ["X-Api-Key"] = "made-up-header" }, plaintext.Headers);
    }

    [Fact]
    public void Token_file_of_the_npm_tool_is_read()
    {
        using var work = new TestEnvironment();
        GoldenFile.OfCore("npm/oauth-tokens.json").CopyTo(work.Folder);
        work.Variables["HOME"] = work.Folder;
        var tokens = Assert.Single(NpmTokenFile.Read(work.Home));
        Assert.Equal("all-fields", tokens.ServerId);
        Assert.Equal("made-up-access-token", tokens.AccessToken);
        Assert.Equal("made-up-refresh-token", tokens.RefreshToken);
        Assert.Equal(["mcp:tools"], tokens.Scopes);
        Assert.Equal("made-up-client", tokens.ClientId);
        Assert.Equal("made-up-client-secret", tokens.ClientSecret);
        Assert.Equal(SampleCredentials.At(13), tokens.ExpiresAt);
    }
}
