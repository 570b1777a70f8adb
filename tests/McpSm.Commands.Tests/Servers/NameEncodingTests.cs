using McpSm.Commands.Tests.Support;
using Xunit;

namespace McpSm.Commands.Tests.Servers;

/// <summary>Tests of names in different Unicode forms, in the executable, which runs with invariant globalization.</summary>
public sealed class NameEncodingTests : IDisposable
{
    private readonly CliProcess _mcpsm = new();

    public void Dispose() => _mcpsm.Dispose();

    [Theory]
    [InlineData("Caf\u00e9", "Cafe\u0301", "caf")]
    [InlineData("\ud55c\uad6d", "\u1112\u1161\u11ab\u1100\u116e\u11a8", "server-1eb7da6d")]
    [InlineData("\u00c5", "\u212b", "server-0a94dc9d")]
    public async Task Server_name_in_another_Unicode_form_finds_the_same_server(string name, string other, string id)
    {
        _mcpsm.Variables["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1";
        (await _mcpsm.RunAsync(["add", name, "--type", "http", "--url", "https://a.example/mcp"])).Done();
        (await _mcpsm.RunAsync(["add", other, "--type", "http", "--url", "https://b.example/mcp"])).Failed(1, "already exists");
        Assert.Contains($"\"id\": \"{id}\"", (await _mcpsm.RunAsync(["auth", "status", other, "--json"])).Out);
    }
}
