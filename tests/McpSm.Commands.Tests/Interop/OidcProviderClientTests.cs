using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Interop;

/// <summary>Tests of the executable with client credentials and an issuer of other authors.</summary>
public sealed class OidcProviderClientTests
{
    /// <param name="proof"><c>secret</c>, or the algorithm of a key.</param>
    /// <param name="wrong">Whether to use the proof of another client.</param>
    /// <returns>The program and the id of its client.</returns>
    private static async Task<(CliProcess, string Id)> NewAsync(OidcProvider provider, TestMcpServer server, string proof, string? wrong = null)
    {
        var mcpsm = new CliProcess { Follow = _ => Task.CompletedTask };
        mcpsm.Variables["MCPSM_INTERACTIVE"] = "0";
        var id = proof == "secret" ? provider.Machine.Id : provider.Keyed[proof].Id;
        mcpsm.Variables["MCPSM_CLIENT_ID"] = id;
        if (proof == "secret")
        {
            mcpsm.Variables["MCPSM_CLIENT_SECRET"] = wrong ?? provider.Machine.Secret;
        }
        else
        {
            mcpsm.Variables["MCPSM_CLIENT_KEY_FILE"] = KeyFile(mcpsm);
            await File.WriteAllTextAsync(KeyFile(mcpsm), wrong ?? provider.Keyed[proof].Key);
        }
        (await mcpsm.RunAsync(["add", "my-api", "--type", "http", "--url", server.McpUrl.AbsoluteUri])).Done();
        return (mcpsm, id);
    }

    private static string KeyFile(CliProcess mcpsm) => Path.Combine(mcpsm.Folder, "key.pem");

    private static async Task<string> TokenAsync(CliProcess mcpsm) => (await mcpsm.RunAsync("auth token my-api")).Done().Out.Trim();

    [Theory]
    [InlineData("secret")]
    [InlineData("ES256")]
    [InlineData("RS256")]
    public async Task Client_signs_in_and_renewal_repeats_its_grant(string proof)
    {
        await using var provider = await OidcProvider.StartAsync();
        await using var server = await provider.StartServerAsync();
        var (mcpsm, id) = await NewAsync(provider, server, proof);
        using var ended = mcpsm;

        (await mcpsm.RunAsync("auth login my-api --client-credentials")).Done();
        var first = await TokenAsync(mcpsm);
        await AssertOursAsync(first);
        Assert.Contains("✔ OK (test-server", (await mcpsm.RunAsync("test my-api")).Done().Out);

        // The secret or key is in the vault now.
        mcpsm.Variables.Remove("MCPSM_CLIENT_ID");
        mcpsm.Variables.Remove("MCPSM_CLIENT_SECRET");
        mcpsm.Variables.Remove("MCPSM_CLIENT_KEY_FILE");
        File.Delete(KeyFile(mcpsm));
        (await mcpsm.RunAsync("auth refresh my-api")).Done();
        var renewed = await TokenAsync(mcpsm);
        Assert.False(first == renewed);
        await AssertOursAsync(renewed);
        Assert.Contains("✔ OK (test-server", (await mcpsm.RunAsync("test my-api")).Done().Out);
        Assert.Equal((2, 2), (provider.Count("grant.success", "client_credentials"), provider.Count("grant.success")));

        (await mcpsm.RunAsync("auth logout my-api --force")).Done();
        Assert.Null(await provider.IntrospectAsync(renewed));
        Assert.Equal((0, 0), (provider.Count("grant.error"), provider.Count("registration_create.success")));
        provider.AssertHealthy();

        async Task AssertOursAsync(string token)
        {
            var known = await provider.IntrospectAsync(token);
            Assert.Equal(id, known!.ClientId);
            Assert.Equal([server.Resource], known.Resources);
            Assert.Equal(["mcp:tools"], known.Scopes);
        }
    }

    [Theory]
    [InlineData("secret")]
    [InlineData("ES256")]
    [InlineData("RS256")]
    public async Task Wrong_client_proof_is_refused_and_nothing_is_saved(string proof)
    {
        await using var provider = await OidcProvider.StartAsync();
        await using var server = await provider.StartServerAsync();
        var (mcpsm, _) = await NewAsync(provider, server, proof, wrong: proof == "secret" ? "not-the-secret" : Keys.Of(proof).Private);
        using var ended = mcpsm;
        (await mcpsm.RunAsync("auth login my-api --client-credentials")).Failed(4, "invalid_client", "Check the client's id");
        // The provider supports two methods for a secret, and the second one is tried once.
        Assert.Equal(proof == "secret" ? 2 : 1, provider.Events.Count);
        Assert.All(provider.Events, e => Assert.Equal("invalid_client", (string?)e["error"]));
        Assert.Equal("NotAuthenticated", (string?)JsonNode.Parse((await mcpsm.RunAsync("auth status my-api --json")).Out)![0]!["state"]);
        provider.AssertHealthy();
    }
}
