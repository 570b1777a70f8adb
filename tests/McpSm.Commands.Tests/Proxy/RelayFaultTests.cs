using System.Diagnostics;
using System.Text.Json.Nodes;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Proxy;

/// <summary>A relay whose log, vault, server or sign-in changes under it.</summary>
public sealed class RelayFaultTests
{
    [Theory]
    [InlineData("--verbose", "/dev/full")]
    [InlineData("--quiet", "/dev/full")]
    public async Task Full_disk_for_the_log_loses_no_message(string option, string log)
    {
        Require.Programs("sh");
        Require.OrSkip(File.Exists(log), "Only Linux has /dev/full.");
        await using var scene = await RelayScene.StartAsync();
        using var relay = scene.Mcpsm.StartShell("log=$1; shift; exec \"$@\" 2>\"$log\"", log, "proxy", "my-api", option);

        Assert.NotNull((await RelayScene.AskAsync(relay, RelayScene.Initialize))["result"]);
        await relay.StandardInput.WriteLineAsync("this is not a message");
        Assert.NotNull((await RelayScene.AskAsync(relay, RelayScene.ListTools))["result"]);

        relay.StandardInput.Close();
        Assert.Equal(0, await RelayScene.EndedAsync(relay));
    }

    [Fact]
    public async Task Reader_of_the_log_that_is_gone_loses_no_message()
    {
        await using var scene = await RelayScene.StartAsync();
        using var relay = scene.StartRelay("--verbose");
        relay.StandardError.Close();

        Assert.NotNull((await RelayScene.AskAsync(relay, RelayScene.Initialize))["result"]);
        Assert.NotNull((await RelayScene.AskAsync(relay, RelayScene.ListTools))["result"]);

        relay.StandardInput.Close();
        Assert.Equal(0, await RelayScene.EndedAsync(relay));
    }

    [Fact]
    public async Task Client_that_does_not_read_the_log_gets_every_message()
    {
        const int requests = 4000;
        await using var scene = await RelayScene.StartAsync();
        using var relay = scene.StartRelay("--verbose");
        await RelayScene.AskAsync(relay, RelayScene.Initialize);

        // The pipe of standard error holds 64 KiB, which are fewer lines.
        var lines = Enumerable.Range(1, requests).Select(id => RelayScene.ListTools.Replace("\"id\":1", $"\"id\":{id}") + "\n");
        var sending = relay.StandardInput.WriteAsync(string.Concat(lines));
        for (var answers = 0; answers < requests; answers++)
        {
            Assert.NotNull(JsonNode.Parse((await RelayScene.ReadLineAsync(relay))!)!["result"]);
        }
        await sending;

        relay.StandardInput.Close();
        Assert.Equal(0, await RelayScene.EndedAsync(relay));
    }

    [Fact]
    public async Task Vault_that_is_locked_meanwhile_is_an_error_until_it_is_unlocked()
    {
        await using var keyring = await Keyring.StartAsync();
        await using var scene = await RelayScene.StartAsync(isSignedIn: false);
        foreach (var (name, value) in keyring.Variables)
        {
            scene.Mcpsm.Variables[name] = value;
        }
        (await scene.Mcpsm.RunAsync("vault use secret-service")).Done();
        (await scene.Mcpsm.RunAsync("auth login my-api")).Done();
        using var relay = scene.StartRelay();
        Assert.NotNull((await RelayScene.AskAsync(relay, RelayScene.Initialize))["result"]);
        Assert.NotNull((await RelayScene.AskAsync(relay, RelayScene.ListTools))["result"]);

        await keyring.LockAsync();
        scene.Server.Introspect = _ => null;
        var error = (await RelayScene.AskAsync(relay, RelayScene.ListTools))["error"]!;
        Assert.Equal("VaultLocked", (string?)error["data"]!["reason"]);
        Assert.Contains("keyring of the Secret Service is locked", (string?)error["message"]);

        await keyring.StopServiceAsync();
        await keyring.StartServiceAsync();
        scene.Server.Introspect = scene.Issuer.Server.Introspect;
        Assert.NotNull((await RelayScene.AskAsync(relay, RelayScene.ListTools))["result"]);
        relay.StandardInput.Close();
        Assert.Equal(0, await RelayScene.EndedAsync(relay));
    }

    [Fact]
    public async Task Sign_out_elsewhere_is_an_error_that_names_the_command()
    {
        await using var scene = await RelayScene.StartAsync();
        using var relay = scene.StartRelay();
        await RelayScene.AskAsync(relay, RelayScene.Initialize);

        (await scene.Mcpsm.RunAsync("auth logout my-api --force")).Done();
        var error = (await RelayScene.AskAsync(relay, RelayScene.ListTools))["error"]!;
        Assert.Equal((401, "mcpsm auth login my-api"), ((int)error["code"]!, (string?)error["data"]!["command"]));

        (await scene.Mcpsm.RunAsync("auth login my-api")).Done();
        Assert.NotNull((await RelayScene.AskAsync(relay, RelayScene.ListTools))["result"]);
        relay.StandardInput.Close();
        Assert.Equal(0, await RelayScene.EndedAsync(relay));
    }

    [Fact]
    public async Task Registration_that_the_issuer_has_forgotten_is_an_error_until_the_next_sign_in()
    {
        await using var scene = await RelayScene.StartAsync();
        using var relay = scene.StartRelay();
        await RelayScene.AskAsync(relay, RelayScene.Initialize);
        scene.Server.Introspect = _ => null;
        scene.Issuer.Faults.Answer("/token", 401, """{"error":"invalid_client"}""");

        var error = (await RelayScene.AskAsync(relay, RelayScene.ListTools))["error"]!;

        Assert.Equal("mcpsm auth login my-api", (string?)error["data"]!["command"]);
        Assert.Empty(scene.Issuer.Traffic.To("/authorize").Skip(1));
        scene.Issuer.Faults.Clear();
        scene.Server.Introspect = scene.Issuer.Server.Introspect;
        (await scene.Mcpsm.RunAsync("auth login my-api")).Done();
        Assert.NotNull((await RelayScene.AskAsync(relay, RelayScene.ListTools))["result"]);
        relay.StandardInput.Close();
        Assert.Equal(0, await RelayScene.EndedAsync(relay));
    }

    [Fact]
    public async Task Issuer_that_changes_is_an_error_until_the_next_sign_in()
    {
        await using var scene = await RelayScene.StartAsync();
        await using var other = await TestIssuer.StartAsync();
        using var relay = scene.StartRelay();
        await RelayScene.AskAsync(relay, RelayScene.Initialize);
        scene.Server.Issuers = [other.Issuer];
        scene.Server.Introspect = other.Server.Introspect;

        var error = (await RelayScene.AskAsync(relay, RelayScene.ListTools))["error"]!;

        Assert.Equal("mcpsm auth login my-api", (string?)error["data"]!["command"]);
        Assert.Empty(other.Traffic.To("/authorize"));
        (await scene.Mcpsm.RunAsync("auth login my-api")).Done();
        Assert.NotNull((await RelayScene.AskAsync(relay, RelayScene.ListTools))["result"]);
        relay.StandardInput.Close();
        Assert.Equal(0, await RelayScene.EndedAsync(relay));
    }

    [Fact]
    public async Task Token_for_a_changed_url_is_not_sent_to_the_old_one()
    {
        await using var scene = await RelayScene.StartAsync();
        await using var moved = await TestMcpServer.StartAsync(scene.Issuer);
        using var relay = scene.StartRelay();
        await RelayScene.AskAsync(relay, RelayScene.Initialize);

        (await scene.Mcpsm.RunAsync($"server update my-api --url {moved.McpUrl}")).Done();
        (await scene.Mcpsm.RunAsync("auth login my-api")).Done();
        var token = (await scene.Mcpsm.RunAsync("auth token my-api")).Done().Out.Trim();
        scene.Server.Introspect = sent => sent == token ? scene.Issuer.Server.Introspect(sent) : null;

        var error = (await RelayScene.AskAsync(relay, RelayScene.ListTools))["error"]!;

        Assert.Contains("reconnect", (string?)error["message"]);
        Assert.DoesNotContain(scene.Server.Traffic.Requests, request => request.Header("Authorization")?.Contains(token, StringComparison.Ordinal) == true);
        relay.StandardInput.Close();
        Assert.Equal(0, await RelayScene.EndedAsync(relay));
    }

    [Fact]
    public async Task Twenty_relays_of_one_expired_token_lose_nothing()
    {
        await using var scene = await RelayScene.StartAsync();
        scene.Server.Introspect = token => scene.Issuer.Traffic.OfGrant("refresh_token").Count == 0 ? null : scene.Issuer.Server.Introspect(token);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            using var relay = scene.StartRelay();
            Assert.NotNull((await RelayScene.AskAsync(relay, RelayScene.Initialize))["result"]);
            await relay.StandardInput.WriteLineAsync(RelayScene.Initialized);
            for (var id = 1; id <= 10; id++)
            {
                await relay.StandardInput.WriteLineAsync(RelayScene.ListTools.Replace("\"id\":1", $"\"id\":{id}"));
            }
            var answered = new HashSet<int>();
            while (answered.Count < 10)
            {
                var answer = JsonNode.Parse((await RelayScene.ReadLineAsync(relay))!)!;
                Assert.NotNull(answer["result"]);
                Assert.True(answered.Add((int)answer["id"]!));
            }
            relay.StandardInput.Close();
            Assert.Equal(0, await RelayScene.EndedAsync(relay));
        }));

        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Theory]
    [InlineData("KILL", 0)]
    [InlineData("KILL", 200)]
    [InlineData("TERM", 200)]
    public async Task Client_that_starts_several_and_kills_the_first_has_the_others(string signal, int milliseconds)
    {
        Require.Programs("kill");
        await using var scene = await RelayScene.StartAsync();
        var relays = new List<Process>();
        try
        {
            for (var i = 0; i < 3; i++)
            {
                relays.Add(scene.StartRelay());
                await relays[i].StandardInput.WriteLineAsync(RelayScene.Initialize);
            }
            await Task.Delay(milliseconds, Cancellation);
            RelayScene.Signal(relays[0].Id, signal);

            foreach (var relay in relays.Skip(1))
            {
                Assert.NotNull(JsonNode.Parse((await RelayScene.ReadLineAsync(relay))!)!["result"]);
                Assert.NotNull((await RelayScene.AskAsync(relay, RelayScene.ListTools))["result"]);
                relay.StandardInput.Close();
                Assert.Equal(0, await RelayScene.EndedAsync(relay));
            }
            await RelayScene.EndedAsync(relays[0]);
        }
        finally
        {
            foreach (var relay in relays)
            {
                if (!relay.HasExited)
                {
                    relay.Kill();
                }
                relay.Dispose();
            }
        }
    }
}
