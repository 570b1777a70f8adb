using System.Text;
using System.Text.Json;
using CsCheck;
using McpSm.Commands.Tests.Support;
using Xunit;

namespace McpSm.Commands.Tests.Vaults;

/// <summary>
/// Tests with random bytes in valid files. Each command works or reports the error in the file, and an unreadable file stays
/// unchanged.
/// </summary>
public sealed class SplicedFileTests : IDisposable
{
    private static readonly string[] Lines =
    [
        "list", "list --json", "auth status", "auth status --json", "add other --type http --url https://b.example/mcp --no-oauth",
        "add other --type http --url https://b.example/mcp --header X-Key=1", "server update my-api --name renamed", "server update my-api --oauth",
        "auth set my-api new-token", "auth token my-api", "auth revoke my-api", "auth logout my-api", "remove my-api --yes", "import", "import --dry-run",
        "vault", "vault use file", "vault use file --move", "vault rekey --key-file", "identity", "identity use https://idp.example --client-id c",
    ];

    private static readonly Dictionary<string, string> Right = new()
    {
        ["config.json"] = """
            {"servers":[{"id":"local","name":"local","command":"npx","args":["-y"],"env":{"A":"b"}}],"remoteServers":[{"id":"my-api","name":"my-api",
            "type":"http","url":"https://a.example/mcp","headers":{"X-Region":"eu"},"oauth":{"enabled":true,"scopes":["read"]},"note":"n"}],"port":8850}
            """,
        ["credentials.json"] = """
            {"version":1,"servers":{"my-api":{"vault":"file","kind":"Bearer","url":"https://a.example/mcp","scopes":["a"],"expiresAt":"2030-01-01T00:00:00Z"}},
            "secrets":{"mcpsmsecret-0":"file"},"identities":{"mcpsmidp-0":{"issuer":"https://idp.example","vault":"file"}}}
            """,
        ["settings.json"] = """
            {"vault":"file","callbackPort":0,"movingFrom":["file"],"identityProvider":{"issuer":"https://idp.example","scopes":["a"]},"theirs":{"theme":"dark"}}
            """,
        ["oauth-tokens.json"] = """
            {"my-api":{"accessToken":"plaintext","refreshToken":"r","scopes":["a"],"expiresAt":1900000000000,"clientId":"c"}}
            """,
    };

    // Errors that parsers find only when the text is used: invalid UTF-8, overlong forms, encoded surrogates, lone surrogates.
    private static readonly Gen<byte[]> Splice = Gen.Frequency(
        (3, Gen.Byte.Array[1, 4]),
        (3, Gen.OneOf("ff", "c080", "eda080", "f5808080", "c3", "80", "00").Select(Convert.FromHexString)),
        (2, Gen.OneOf("\\ud800", "\\udc00", "\\u0000", "\"", "{", "[", "}", "\ufeff", "\u2028").Select(Encoding.UTF8.GetBytes)));

    private readonly InProcessCli _mcpsm = new();

    public void Dispose() => _mcpsm.Dispose();

    [Fact]
    public async Task Command_with_a_spliced_file_works_or_refuses_the_file()
    {
        await PrepareAsync();
        var (vault, key) = (File.ReadAllBytes(_mcpsm.PathOf("credentials.enc")), File.ReadAllBytes(_mcpsm.PathOf("credentials.key")));
        await Gen.Select(Gen.OneOf(Right.Keys.ToArray()), Gen.Double[0, 1], Splice, Gen.Int[0, 3], Gen.OneOf(Lines)).SampleAsync(async sample =>
        {
            var (name, part, splice, cut, line) = sample;
            foreach (var (file, content) in Right)
            {
                _mcpsm.Write(file, content);
            }
            File.WriteAllBytes(_mcpsm.PathOf("credentials.enc"), vault);
            File.WriteAllBytes(_mcpsm.PathOf("credentials.key"), key);
            var whole = Encoding.UTF8.GetBytes(Right[name]);
            var at = (int)(whole.Length * part);
            byte[] bytes = [.. whole[..at], .. splice, .. whole[Math.Min(whole.Length, at + cut)..]];
            File.WriteAllBytes(_mcpsm.PathOf(name), bytes);

            var ended = await _mcpsm.RunAsync(line);

            Assert.DoesNotContain("unexpected failure", ended.Error);
            Assert.Contains(ended.Code, new[] { 0, 1, 2, 4 });
            if (!IsJson(bytes))
            {
                Assert.Equal(bytes, File.ReadAllBytes(_mcpsm.PathOf(name)));
                if (name == "config.json" && !line.StartsWith("vault") && line != "identity use https://idp.example --client-id c")
                {
                    ended.Failed(1, $"Cannot use '{_mcpsm.PathOf(name)}': ");
                }
            }
        }, iter: 1500, threads: 1);
    }

    [Theory]
    [InlineData("config.json", "{\"\u00ff\":1,\"remoteServers\":[]}")]
    [InlineData("config.json", "{\"note\":\"\u00ff\",\"remoteServers\":[]}")]
    [InlineData("config.json", "{\"remoteServers\":[{\"id\":\"my-api\",\"url\":\"https://a.example/mcp\",\"\u00ff\":1}]}")]
    [InlineData("config.json", "{\"servers\":[{\"id\":\"\u00ff\"}],\"remoteServers\":[]}")]
    [InlineData("settings.json", "{\"\u00ff\":1}")]
    [InlineData("settings.json", "{\"theirs\":\"\u00ff\"}")]
    [InlineData("credentials.json", "{\"version\":1,\"servers\":{\"\u00ff\":{}}}")]
    [InlineData("credentials.json", "{\"version\":1,\"servers\":{},\"\u00ff\":1}")]
    [InlineData("oauth-tokens.json", "{\"\u00ff\":{\"accessToken\":\"a\"}}")]
    public async Task File_that_is_not_UTF8_is_named_with_the_position(string name, string content)
    {
        await PrepareAsync();
        File.WriteAllBytes(_mcpsm.PathOf(name), Encoding.Latin1.GetBytes(content));
        // With this variable the commands would not read settings.json.
        _mcpsm.Variables.Remove("MCPSM_VAULT");
        var before = _mcpsm.Files()[name];
        var lines = name switch
        {
            "config.json" => Lines.Where(l => !l.StartsWith("vault") && !l.StartsWith("identity use")),
            "settings.json" => ["vault", "vault use file", "identity"],
            "credentials.json" => ["auth token my-api", "auth set my-api new-token", "vault use file --move"],
            _ => ["import", "import --dry-run"],
        };
        foreach (var line in lines)
        {
            (await _mcpsm.RunAsync(line))
                .Failed(1, $"Cannot use '{_mcpsm.PathOf(name)}': it is not UTF-8 text at line 1, column {content.IndexOf('\u00ff') + 1}.");
            Assert.Equal(before, _mcpsm.Files()[name]);
        }
    }

    [Theory]
    [InlineData("config.json", """{"note":"\ud800","remoteServers":[{"id":"my-api","url":"https://a.example/mcp"}]}""", "list",
        "add b --type http --url https://b.example/mcp")]
    [InlineData("config.json", """{"servers":[{"id":"\udc00"}],"remoteServers":[]}""", "list", "add b --type http --url https://b.example/mcp")]
    [InlineData("settings.json", """{"theirs":"\ud800","vault":"file"}""", "vault", "vault use file")]
    public async Task Lone_surrogate_in_an_unused_member_is_read_but_not_rewritten(string name, string content, string reads, string writes)
    {
        await PrepareAsync();
        _mcpsm.Write(name, content);
        var before = _mcpsm.Files()[name];
        (await _mcpsm.RunAsync(reads)).Done();
        (await _mcpsm.RunAsync(writes)).Failed(1, $"Cannot use '{_mcpsm.PathOf(name)}': it contains a string that is not valid Unicode.");
        Assert.Equal(before, _mcpsm.Files()[name]);
    }

    private async Task PrepareAsync()
    {
        _mcpsm.Variables["MCPSM_VAULT"] = "file";
        _mcpsm.Variables["HOME"] = _mcpsm.Folder;
        await _mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        (await _mcpsm.RunAsync("auth set my-api a-token")).Done();
    }

    private static bool IsJson(byte[] bytes)
    {
        try
        {
            _ = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
            using var document = JsonDocument.Parse(bytes.AsMemory()[(bytes.AsSpan().StartsWith("\ufeff"u8) ? 3 : 0)..]);
            return true;
        }
        catch (Exception e) when (e is DecoderFallbackException or JsonException)
        {
            return false;
        }
    }
}
