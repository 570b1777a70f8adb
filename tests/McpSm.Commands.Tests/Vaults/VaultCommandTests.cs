using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using Xunit;

namespace McpSm.Commands.Tests.Vaults;

/// <summary>Tests of <c>mcpsm vault</c> on a system with only the encrypted file.</summary>
public sealed class VaultCommandTests : IDisposable
{
    private readonly InProcessCli _mcpsm = new();

    public void Dispose() => _mcpsm.Dispose();

    [Theory]
    [InlineData("vault")]
    [InlineData("vault list")]
    public async Task Vault_list_shows_which_is_in_use_and_how_each_protects(string line)
    {
        var ended = (await _mcpsm.RunAsync(line)).Done();
        Assert.Contains("  file\n    Encrypted with the key in credentials.key", ended.Out);
        Assert.Contains("No vault is selected yet", ended.Error);
        (await _mcpsm.RunAsync("vault use file")).Done();
        Assert.Contains("* file (in use: it is set in settings.json)\n", (await _mcpsm.RunAsync(line)).Done().Out);
        _mcpsm.Variables["MCPSM_VAULT"] = "secretmanagement:mine";
        Assert.Contains("* secretmanagement:mine (in use: MCPSM_VAULT names it)\n    Stored in a vault of SecretManagement",
            (await _mcpsm.RunAsync(line)).Done().Out);
        _mcpsm.Variables["MCPSM_VAULT"] = "nowhere";
        Assert.Contains("* nowhere (in use: MCPSM_VAULT names it, but it does not exist)\n    The vault does not exist",
            (await _mcpsm.RunAsync(line)).Done().Out);
    }

    [Fact]
    public async Task Vault_list_as_json_has_the_same_facts()
    {
        (await _mcpsm.RunAsync("vault use file")).Done();
        Assert.Equal((await _mcpsm.RunAsync("vault list --json")).Done(), await _mcpsm.RunAsync("vault --json"));
        var vault = JsonNode.Parse((await _mcpsm.RunAsync("vault list --json")).Done().Out)!.AsArray().Single(v => (string?)v!["name"] == "file")!;
        Assert.True((bool)vault["inUse"]!);
        Assert.Equal("it is set in settings.json", (string?)vault["why"]);
        Assert.StartsWith("Encrypted", (string?)vault["protection"]);
    }

    [Fact]
    public async Task Unknown_vault_changes_nothing()
    {
        var before = _mcpsm.Files();
        (await _mcpsm.RunAsync("vault use nowhere")).Failed(1, "The vault 'nowhere' does not exist on this system.");
        (await _mcpsm.RunAsync("vault use nowhere --move")).Failed(1, "The vault 'nowhere' does not exist on this system.");
        Assert.Equal(before, _mcpsm.Files());
    }

    [Fact]
    public async Task New_passphrase_is_typed_twice_and_needed_from_then_on()
    {
        await KeepAsync();
        (await _mcpsm.RunAsync("vault rekey --passphrase", TestConsole.Terminal("one", "another")))
            .Failed(2, "The passphrases do not match. Nothing was changed.");
        Assert.Equal("a-token", await _mcpsm.TokenAsync());
        var console = TestConsole.Terminal("one", "one");
        (await _mcpsm.RunAsync("vault rekey --passphrase", console)).Done();
        Assert.Equal(2, console.SecretPrompts.Count);
        Assert.False(File.Exists(_mcpsm.PathOf("credentials.key")));
        (await _mcpsm.RunAsync("auth token my-api")).Failed(1, "the passphrase is not set");
        _mcpsm.Variables["MCPSM_VAULT_PASSPHRASE"] = "one";
        Assert.Equal("a-token", await _mcpsm.TokenAsync());
        _mcpsm.Variables["MCPSM_VAULT_NEW_PASSPHRASE"] = "two";
        (await _mcpsm.RunAsync("vault rekey")).Done();
        (await _mcpsm.RunAsync("auth token my-api")).Failed(1, "the passphrase is wrong");
        _mcpsm.Variables["MCPSM_VAULT_PASSPHRASE"] = "two";
        (await _mcpsm.RunAsync("vault rekey --key-file")).Done();
        _mcpsm.Variables.Remove("MCPSM_VAULT_PASSPHRASE");
        Assert.Equal("a-token", await _mcpsm.TokenAsync());
    }

    [Fact]
    public async Task Passphrase_prompt_needs_a_terminal()
    {
        await KeepAsync();
        (await _mcpsm.RunAsync("vault rekey --passphrase")).Failed(4, "The new passphrase must be typed at a terminal", "MCPSM_VAULT_NEW_PASSPHRASE");
        (await _mcpsm.RunAsync("vault rekey --passphrase --key-file")).Failed(2, "--passphrase and --key-file cannot be combined");
    }

    private async Task KeepAsync()
    {
        await _mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        (await _mcpsm.RunAsync("auth set my-api a-token")).Done();
    }
}
