using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Formats;

/// <summary>
/// Tests of the output of every command with <c>--json</c>, with the golden files of the configuration folder. Scripts read the fields
/// and their values; texts for people can change, and are masked.
/// </summary>
public sealed partial class JsonOutputFormatTests : IDisposable
{
    private readonly InProcessCli _mcpsm = new();

    public JsonOutputFormatTests()
    {
        foreach (var file in new[] { "config.json", "credentials.json", "settings.json", "key-file/credentials.enc", "key-file/credentials.key" })
        {
            GoldenFile.OfCore(file).CopyTo(_mcpsm.Folder);
        }
    }

    public void Dispose() => _mcpsm.Dispose();

    [Fact]
    public async Task Status_in_json_equals_the_golden_file() => Check("auth-status.json", (await _mcpsm.RunAsync("auth status --json")).Out);

    [Fact]
    public async Task Servers_in_json_equal_the_golden_file() => Check("list.json", (await _mcpsm.RunAsync("list --json")).Done().Out);

    [Fact]
    public async Task Identity_provider_in_json_equals_the_golden_file() => Check("identity.json", (await _mcpsm.RunAsync("identity --json")).Done().Out);

    [Theory]
    [InlineData("vault --json")]
    [InlineData("vault list --json")]
    public async Task Vaults_in_json_equal_the_golden_file(string command)
    {
        Require.OrSkip(OperatingSystem.IsLinux(), "The golden file names the vaults of Linux.");
        Check("vault-list.json", (await _mcpsm.RunAsync(command)).Done().Out);
    }

    [Fact]
    public async Task Bearer_token_in_json_equals_the_golden_file()
    {
        Require.OrSkip(!OperatingSystem.IsWindows(), "On Windows the key is protected by DPAPI.");
        Check("auth-token-bearer.json", (await _mcpsm.RunAsync("auth token bearer --json")).Done().Out);
    }

    [Fact]
    public async Task Bound_token_in_json_equals_the_golden_file()
    {
        Require.OrSkip(!OperatingSystem.IsWindows(), "On Windows the key is protected by DPAPI.");
        Check("auth-token-dpop.json", Proof().Replace((await _mcpsm.RunAsync("auth token all-fields --json")).Done().Out, "<proof>"));
    }

    [Fact]
    public async Task Test_results_in_json_equal_the_golden_file()
    {
        await using var server = await TestMcpServer.StartAsync(new TestMcpServerOptions { Open = true });
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl, "answers");
        var works = (await mcpsm.RunAsync("test answers --json")).Done().Out;
        server.Open = false;
        var fails = (await mcpsm.RunAsync("test answers --json")).Out;
        Check("test.json", Latency().Replace((works + fails).Replace(server.McpUrl.AbsoluteUri, "http://127.0.0.1/mcp"), "1"));
    }

    /// <summary>Tests the built executable, in CI the native one: trimming must keep the names and texts of the formats.</summary>
    [Fact]
    public async Task Executable_reads_and_writes_the_golden_files()
    {
        Require.OrSkip(!OperatingSystem.IsWindows(), "On Windows the key is protected by DPAPI.");
        using var mcpsm = new CliProcess();
        foreach (var file in new[] { "config.json", "credentials.json", "settings.json", "key-file/credentials.enc", "key-file/credentials.key" })
        {
            GoldenFile.OfCore(file).CopyTo(mcpsm.Folder);
        }
        Check("auth-token-bearer.json", (await mcpsm.RunAsync("auth token bearer --json")).Done().Out);
        // This token does not expire, so no request is sent.
        Check("auth-token-workload.json", (await mcpsm.RunAsync("auth token unknown --json")).Done().Out);
        (await mcpsm.RunAsync("auth set none -", input: "made-up-new-token")).Done();
        var before = JsonNode.Parse(GoldenFile.OfCore("credentials.json").Bytes)!;
        var index = JsonNode.Parse(File.ReadAllText(Path.Combine(mcpsm.Folder, "credentials.json")))!;
        Assert.True(index["servers"]!.AsObject().Remove("none"));
        Assert.Equal(before.ToJsonString(), index.ToJsonString());
        Assert.Equal("made-up-new-token\n", (await mcpsm.RunAsync("auth token none")).Done().Out);
    }

    /// <summary>Tests that the golden file has every text of a state, a kind, a signer and a token type.</summary>
    [Fact]
    public void Golden_status_has_every_value_of_every_field_that_scripts_compare()
    {
        var golden = GoldenFile.OfCommands("auth-status.json").Text;
        Assert.Equal(["Authenticated", "BearerToken", "Expired", "ExpiringSoon", "NoAuth", "NotAuthenticated", "Unknown"], Values("state"));
        Assert.Equal(["Bearer", "None", "OAuth"], Values("kind"));
        Assert.Equal(["Client", "IdentityProvider", "Person", "Workload"], Values("signedInBy"));
        Assert.Equal(["Bearer", "DPoP"], Values("tokenType"));
        Assert.Equal(["http", "sse"], Values("transport"));

        IEnumerable<string> Values(string field) => Regex.Matches(golden, $"\"{field}\": \"(\\w+)\"").Select(m => m.Groups[1].Value)
            .Distinct().Order(StringComparer.Ordinal);
    }

    private static void Check(string file, string output) =>
        GoldenFile.OfCommands(file).RequireEqual(ForPeople().Replace(output.ReplaceLineEndings("\n"), "$1\"<text>\""));

    [GeneratedRegex("""("(?:error|remedy|why|protection)": )"(?:[^"\\]|\\.)*"(?=,?\n)""")]
    private static partial Regex ForPeople();

    [GeneratedRegex("""(?<="DPoP": ")ey[\w-]+\.[\w-]+\.[\w-]+(?=")""")]
    private static partial Regex Proof();

    [GeneratedRegex("""(?<="latencyMs": )\d+""")]
    private static partial Regex Latency();
}
