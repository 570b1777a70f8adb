using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Servers;

/// <summary>Tests of <c>server update</c> with every option, and of <c>remove</c>.</summary>
public sealed class ServerUpdateTests
{
    [Theory]
    [InlineData("name", "\"New name\"", "--name", "New name")]
    [InlineData("type", "\"sse\"", "--type", "sse")]
    [InlineData("type", "\"sse\"", "-t", "sse")]
    [InlineData("url", "\"https://a.example/other\"", "--url", " https://a.example/other ")]
    [InlineData("url", "\"https://a.example/other\"", "-u", "https://a.example/other")]
    [InlineData("oauth.enabled", "true", "--oauth")]
    [InlineData("oauth.enabled", "false", "--no-oauth")]
    [InlineData("oauth.clientId", "\"abc\"", "--client-id", "abc")]
    [InlineData("oauth.scopes", "[\"a\",\"b\"]", "--scope", "a", "b")]
    [InlineData("oauth.scopes", "[\"a\",\"b\",\"c\"]", "--scope", "a,b", "--scope", "c a")]
    [InlineData("oauth.authServerUrl", "\"https://login.example\"", "--issuer", "https://login.example")]
    [InlineData("oauth.clientMetadataUrl", "\"https://c.example/client\"", "--client-metadata-url", "https://c.example/client")]
    [InlineData("oauth.allowLegacyEndpoints", "true", "--allow-legacy-endpoints")]
    [InlineData("relay.signIn", "true", "--relay-sign-in")]
    [InlineData("oauth.dpop", "\"always\"", "--dpop", "always")]
    [InlineData("oauth.dpop", "\"never\"", "--dpop", "never")]
    [InlineData("oauth.authorizeParams", "{\"access_type\":\"offline\",\"a\":\"b=c\"}", "--authorize-param", "access_type=offline", "--authorize-param=a=b=c")]
    public async Task Update_option_changes_only_its_setting(string path, string value, params string[] options)
    {
        using var mcpsm = await WithServerAsync();
        var before = mcpsm.Config()[0]!.AsObject();
        Assert.StartsWith("✔ Server '", (await Update(mcpsm, options)).Done().Out);
        var after = mcpsm.Config()[0]!.AsObject();
        Assert.Equal(value, Take(after, path)?.ToJsonString());
        Take(before, path);
        Assert.Equal(before.ToJsonString(), after.ToJsonString());
    }

    [Theory]
    [InlineData("--client-id", "abc")]
    [InlineData("--scope", "a")]
    [InlineData("--authorize-param", "access_type=offline")]
    [InlineData("--issuer", "https://login.example")]
    [InlineData("--client-metadata-url", "https://c.example/client")]
    public async Task Empty_value_removes_a_setting(string option, string value)
    {
        using var mcpsm = await WithServerAsync();
        var before = mcpsm.Config().ToJsonString();
        (await Update(mcpsm, option, value)).Done();
        Assert.NotEqual(before, mcpsm.Config().ToJsonString());
        (await Update(mcpsm, option, "")).Done();
        Assert.Equal(before, mcpsm.Config().ToJsonString());
    }

    [Fact]
    public async Task Authorization_parameters_are_listed_sent_and_removed_one_by_one()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl, "my-api", "--authorize-param", "access_type=offline", "--authorize-param", "audience=x");
        (await Update(mcpsm, "--authorize-param", "audience=", "--authorize-param", "hd=example.com")).Done();
        var listed = JsonNode.Parse((await mcpsm.RunAsync("list --json")).Done().Out)![0]!["authorizeParams"]!;
        Assert.Equal("""{"access_type":"offline","hd":"example.com"}""", listed.ToJsonString());
        (await mcpsm.LoginAsync("my-api", "--authorize-param", "prompt=login")).Done();
        (await mcpsm.LoginAsync()).Done();
        var sent = issuer.Traffic.To("/authorize");
        Assert.All(sent, r => Assert.Equal(("offline", "example.com"), (r.QueryValue("access_type"), r.QueryValue("hd"))));
        Assert.Equal(["login", null], sent.Select(r => r.QueryValue("prompt")));
        (await mcpsm.RunAsync("auth login my-api --device --authorize-param a=b")).Failed(2, "--authorize-param requires a sign-in with a browser");
        (await mcpsm.RunAsync("auth login my-api --no-browser --authorize-param state=b")).Failed(2, "'state' is reserved");
    }

    [Theory]
    [InlineData("--oauth", "--oauth=false", "oauth.enabled", "false")]
    [InlineData("--no-oauth", "--no-oauth=false", "oauth.enabled", "true")]
    [InlineData("--allow-legacy-endpoints", "--allow-legacy-endpoints=false", "oauth.allowLegacyEndpoints", null)]
    [InlineData("--relay-sign-in", "--relay-sign-in=false", "relay.signIn", null)]
    public async Task Switch_with_false_turns_a_setting_off(string yes, string no, string path, string? value)
    {
        using var mcpsm = await WithServerAsync();
        (await Update(mcpsm, yes)).Done();
        (await Update(mcpsm, no)).Done();
        Assert.Equal(value, Take(mcpsm.Config()[0]!.AsObject(), path)?.ToJsonString());
    }

    [Theory]
    [InlineData("A scope is", "--scope", "réad")]
    [InlineData("cannot be combined", "--oauth", "--no-oauth")]
    [InlineData("cannot be combined", "--oauth=false", "--no-oauth")]
    [InlineData("http or sse", "--type", "stdio")]
    [InlineData("name", "--name", "")]
    [InlineData("name of a command", "--name", "Status")]
    [InlineData("the URL is empty", "--url", "")]
    [InlineData("scheme", "--url", "ftp://a.example/mcp")]
    [InlineData("not safe", "--issuer", "http://login.example", "1")]
    [InlineData("must use https", "--client-metadata-url", "http://c.example/client")]
    [InlineData("name=value", "--header", "nothing")]
    [InlineData("key=value", "--authorize-param", "nothing")]
    [InlineData("key=value", "--authorize-param", "=x")]
    [InlineData("is reserved", "--authorize-param", "State=x")]
    [InlineData("a name that cannot be sent", "--header", "X Y=1")]
    [InlineData("printable ASCII", "--header", "X=a\r\nY: b")]
    [InlineData("mcpsm auth set", "--header", "Authorization=Bearer PLANTED")]
    [InlineData("is not set", "--client-secret-from-env", "NO_SUCH_VARIABLE")]
    [InlineData("cannot be sent", "--token", "PLANTED token", "--name", "other", "--header", "X-Key=1")]
    [InlineData("mcpsm server update does not have this option. Did you mean '--client-id'?", "--clientid", "PLANTED")]
    public async Task Invalid_option_value_changes_nothing(string says, params string[] options)
    {
        using var mcpsm = await WithServerAsync();
        var before = mcpsm.Files();
        // A trailing "1" is the expected exit code; the default is 2.
        var code = options is [.., "1"] ? 1 : 2;
        var ended = await Update(mcpsm, options[..(code == 1 ? ^1 : ^0)]);
        ended.Failed(code, says);
        Assert.DoesNotContain("PLANTED", ended.Error);
        Assert.Equal(before, mcpsm.Files("credentials.key", "settings.json"));
    }

    [Fact]
    public async Task Name_of_another_server_is_refused()
    {
        using var mcpsm = await WithServerAsync();
        await mcpsm.AddAsync(new Uri("https://b.example/mcp"), "other");
        var before = mcpsm.Files();
        (await Update(mcpsm, "--name", "other")).Failed(1, "A server named 'other' already exists, at https://b.example/mcp.");
        (await mcpsm.RunAsync("server update nosuch --oauth")).Failed(1, "The server 'nosuch' was not found. Existing servers: my-api, other.");
        Assert.Equal(before, mcpsm.Files());
    }

    [Fact]
    public async Task Headers_are_saved_in_the_vault_sent_and_removed()
    {
        await using var server = await TestMcpServer.StartAsync(new TestMcpServerOptions { Open = true });
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await Update(mcpsm, "--header", "X-One=1 = one", "--header", "X-Two=2")).Done();
        (await Update(mcpsm, "--header", "x-two=")).Done();
        (await mcpsm.RunAsync("test my-api")).Done();
        Assert.All(server.Traffic.Requests, r => Assert.Equal("1 = one", r.Header("X-One")));
        Assert.All(server.Traffic.Requests, r => Assert.Null(r.Header("X-Two")));
        Assert.NotEmpty(server.Traffic.Requests);
        Assert.DoesNotContain("X-One", File.ReadAllText(mcpsm.PathOf("config.json")));
        Assert.DoesNotContain("1 = one", File.ReadAllText(mcpsm.PathOf("credentials.json")));
        Assert.Equal("NotAuthenticated", (string?)(await mcpsm.StatusAsync())["state"]);
    }

    [Fact]
    public async Task Supplied_client_signs_in_with_its_secret_from_a_variable()
    {
        // Every port is registered, because the callback uses any free port.
        var anyPort = Enumerable.Range(1024, 65536 - 1024).Select(port => $"http://127.0.0.1:{port}/callback");
        await using var issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions
        {
            SupportsRegistration = false,
            PreRegisteredClients = [new RegisteredClient("own-client", "own-secret", [.. anyPort], "client_secret_basic")],
        });
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        mcpsm.Variables["OWN_SECRET"] = "own-secret";
        (await Update(mcpsm, "--client-id", "own-client", "--client-secret-from-env", "OWN_SECRET")).Done();
        mcpsm.Variables.Remove("OWN_SECRET");
        (await mcpsm.LoginAsync()).Done();
        (await mcpsm.RunAsync("auth refresh my-api")).Done();
        Assert.DoesNotContain(mcpsm.Files().Values, f => f.Contains(Convert.ToHexString("own-secret"u8)));
    }

    [Fact]
    public async Task Move_to_another_origin_warns_and_does_not_send_the_old_credential()
    {
        await using var other = await TestMcpServer.StartAsync();
        using var mcpsm = await WithServerAsync();
        (await mcpsm.RunAsync("auth set my-api a-token")).Done();
        Assert.DoesNotContain("Warning", (await Update(mcpsm, "--url", "https://a.example/elsewhere")).Done().Error);
        Assert.Equal("a-token", await mcpsm.TokenAsync());

        var ended = (await Update(mcpsm, "--url", other.McpUrl.AbsoluteUri)).Done();
        Assert.Contains("Warning: the server has a new origin, so its old credential is no longer used. Sign in with: mcpsm auth login my-api", ended.Error);
        Assert.Equal("NotAuthenticated", (string?)(await mcpsm.StatusAsync())["state"]);
        (await mcpsm.RunAsync("auth token my-api")).Failed(4, "You are not signed in");
        Assert.Equal(1, (await mcpsm.RunAsync("test my-api")).Code);
        Assert.All(other.Traffic.Requests, r => Assert.Null(r.Header("Authorization")));

        (await Update(mcpsm, "--url", "https://a.example/mcp")).Done();
        Assert.Equal("a-token", await mcpsm.TokenAsync());
    }

    [Fact]
    public async Task Invalid_URL_in_the_catalog_can_be_corrected()
    {
        using var mcpsm = new InProcessCli();
        mcpsm.Write("config.json", """{"remoteServers":[{"id":"my-api","name":"my-api","type":"http","url":"nothing"}]}""");
        Assert.Contains("nothing", (await mcpsm.RunAsync("list")).Done().Out);
        Assert.Equal(4, (await mcpsm.RunAsync("auth status my-api")).Code);
        (await mcpsm.LoginAsync()).Failed(2, "it is not an absolute URL");
        var ended = (await Update(mcpsm, "--url", "https://a.example/mcp")).Done();
        Assert.Equal("", ended.Error);
        Assert.Equal("https://a.example/mcp", (string?)mcpsm.Config()[0]!["url"]);
    }

    [Fact]
    public async Task Plain_http_to_another_machine_warns_and_gets_no_credential()
    {
        using var mcpsm = new InProcessCli();
        var ended = (await mcpsm.RunAsync("add my-api --type http --url http://a.example/mcp")).Done();
        Assert.Equal("Warning: 'my-api' is at a plain http address of another machine. No credential is sent there; use https for that.\n", ended.Error);
        (await mcpsm.LoginAsync()).Failed(1, "Mcpsm does not send a credential to 'my-api'");
        (await mcpsm.RunAsync("auth set my-api a-token")).Failed(1, "Mcpsm does not send a credential to 'my-api'");
        var before = mcpsm.Files();
        (await mcpsm.RunAsync("add b --type http --url http://b.example/mcp --header X-Key=1 --token a-token"))
            .Failed(1, "Mcpsm does not send a credential to 'b'");
        Assert.Equal(before, mcpsm.Files());
    }

    [Fact]
    public async Task Remove_deletes_and_revokes_the_credentials()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl, "my-api", "--header", "X-Key=1");
        await mcpsm.AddAsync(new Uri("https://b.example/mcp"), "other");
        (await mcpsm.LoginAsync()).Done();
        var token = await mcpsm.TokenAsync();
        Assert.Equal("✔ Server 'my-api' removed.\n", (await mcpsm.RunAsync("remove my-api -y")).Done().Out);
        Assert.NotEqual(true, issuer.Server.Introspect(token)?.Active);
        Assert.Equal(["other"], mcpsm.Config().Select(s => (string?)s!["id"]));
        Assert.DoesNotContain("my-api", File.ReadAllText(mcpsm.PathOf("credentials.json")));
        // A new server with the same name and URL gets no credential of the removed one.
        server.Traffic.Clear();
        await mcpsm.AddAsync(server.McpUrl);
        Assert.Equal(1, (await mcpsm.RunAsync("test my-api")).Code);
        Assert.All(server.Traffic.Requests, r => Assert.Null(r.Header("X-Key") ?? r.Header("Authorization")));
        Assert.NotEmpty(server.Traffic.Requests);
    }

    [Fact]
    public async Task Server_replaced_by_another_program_gets_no_old_credential()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        await using var other = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl, "my-api", "--header", "X-Key=1");
        (await mcpsm.LoginAsync()).Done();
        mcpsm.Write("config.json", $$"""{"remoteServers":[{"id":"my-api","name":"my-api","type":"http","url":"{{other.McpUrl}}"}]}""");
        Assert.Equal("NotAuthenticated", (string?)(await mcpsm.StatusAsync())["state"]);
        (await mcpsm.RunAsync("auth token my-api")).Failed(4, "You are not signed in");
        (await mcpsm.RunAsync("auth refresh my-api")).Failed(4, "You are not signed in");
        Assert.Equal(1, (await mcpsm.RunAsync("test my-api")).Code);
        Assert.NotEmpty(other.Traffic.Requests);
        (await mcpsm.LoginAsync()).Done();
        var old = server.Traffic.Requests.Select(r => r.Header("Authorization")).OfType<string>().ToHashSet();
        Assert.NotEmpty(old);
        Assert.DoesNotContain(other.Traffic.Requests, r => r.Header("X-Key") is not null || old.Contains(r.Header("Authorization") ?? ""));
    }

    private static Task<CliResult> Update(InProcessCli mcpsm, params string[] options) =>
        mcpsm.RunAsync(["server", "update", "my-api", .. options]);

    private static async Task<InProcessCli> WithServerAsync()
    {
        var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        return mcpsm;
    }

    /// <summary>Removes a member from an entry and returns it. Removes an empty <c>oauth</c> too.</summary>
    private static JsonNode? Take(JsonObject entry, string path)
    {
        var names = path.Split('.');
        var within = names.Length > 1 ? entry[names[0]] as JsonObject : entry;
        var value = within?[names[^1]];
        within?.Remove(names[^1]);
        if (within is { Count: 0 })
        {
            entry.Remove(names[0]);
        }
        return value;
    }
}
