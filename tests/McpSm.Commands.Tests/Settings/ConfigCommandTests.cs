using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Settings;

/// <summary><c>mcpsm config</c>: settings instead of environment variables.</summary>
public sealed class ConfigCommandTests : IDisposable
{
    private const string KeyHeader = "vault-key-file";

    private readonly InProcessCli _mcpsm = new();

    public void Dispose() => _mcpsm.Dispose();

    [Fact]
    public async Task Setting_is_shown_with_its_source_until_it_is_removed()
    {
        Assert.Contains("proxy: not set", (await _mcpsm.RunAsync("config")).Done().Out);

        (await _mcpsm.RunAsync("config set proxy proxy.example.com:3128")).Done();
        Assert.Contains("proxy: http://proxy.example.com:3128 (settings.json)", (await _mcpsm.RunAsync("config")).Done().Out);
        Assert.Contains("\"proxy\": \"http://proxy.example.com:3128\"", File.ReadAllText(_mcpsm.PathOf("settings.json")));

        (await _mcpsm.RunAsync("config unset proxy")).Done();
        Assert.DoesNotContain("proxy", File.ReadAllText(_mcpsm.PathOf("settings.json")));
    }

    [Fact]
    public async Task Settings_in_json_have_a_name_a_value_and_a_source()
    {
        (await _mcpsm.RunAsync("config set no-proxy .example.com,10.0.0.0/8")).Done();

        var settings = JsonNode.Parse((await _mcpsm.RunAsync("config --json")).Done().Out)!.AsArray();

        Assert.Equal(["vault-key-file", "proxy", "no-proxy", "ca-file"], settings.Select(setting => (string?)setting!["name"]));
        Assert.Equal((".example.com,10.0.0.0/8", "settings.json"), ((string?)settings[2]!["value"], (string?)settings[2]!["source"]));
        Assert.Null(settings[1]!["value"]);
    }

    [Fact]
    public async Task Variable_wins_and_its_password_is_not_shown()
    {
        _mcpsm.Variables["HTTPS_PROXY"] = "http://user:s3cret-of-proxy@env.example:3128";

        var set = (await _mcpsm.RunAsync("config set proxy http://stored.example:3128")).Done();

        Assert.Contains("HTTPS_PROXY is set and wins over this setting", set.Error);
        var shown = (await _mcpsm.RunAsync("config")).Done().Out;
        Assert.Contains("proxy: http://env.example:3128 (HTTPS_PROXY)", shown);
        Assert.DoesNotContain("s3cret", shown);
    }

    [Theory]
    [InlineData("proxy", "http://user:s3cret@proxy.example:3128", "contains a user name or a password")]
    [InlineData("proxy", "user:s3cret@proxy.example:3128", "contains a user name or a password")]
    [InlineData("proxy", "ftp://proxy.example:21", "not a URL with the scheme")]
    [InlineData("proxy", "http://proxy.example:3128/s3cret", "more than a scheme")]
    [InlineData("proxy", "http://", "not a URL with the scheme")]
    [InlineData("proxy", " ", "is empty")]
    [InlineData("no-proxy", "a\nb", "control characters")]
    [InlineData("ca-file", "missing.pem", "it does not exist")]
    [InlineData("vault-key-file", "missing.key", "it does not exist")]
    [InlineData("s3cret", "x", "There is no setting with that name")]
    public async Task Value_that_cannot_work_is_refused_and_not_repeated(string name, string value, string message)
    {
        var refused = (await _mcpsm.RunAsync(["config", "set", name, value])).Failed(2, message);

        Assert.DoesNotContain("s3cret", refused.Out + refused.Error);
        Assert.False(File.Exists(_mcpsm.PathOf("settings.json")));
    }

    [Theory]
    [InlineData("no certificate", "does not contain certificates")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "damaged")]
    public async Task Authority_file_without_certificates_is_refused(string content, string message)
    {
        _mcpsm.Write("ca.pem", content);
        (await _mcpsm.RunAsync(["config", "set", "ca-file", _mcpsm.PathOf("ca.pem")])).Failed(2, message);
    }

    [Fact]
    public async Task File_that_other_users_may_change_is_refused()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no such modes.");
            return;
        }
        LoopbackCertificates.WriteAuthorityPem(_mcpsm.PathOf("ca.pem"));
        File.SetUnixFileMode(_mcpsm.PathOf("ca.pem"), (UnixFileMode)0b110_110_100);
        (await _mcpsm.RunAsync(["config", "set", "ca-file", _mcpsm.PathOf("ca.pem")])).Failed(2, "other users may change it");
        _mcpsm.Write("my.key", Convert.ToBase64String(new byte[32]));
        File.SetUnixFileMode(_mcpsm.PathOf("my.key"), (UnixFileMode)0b110_100_000);
        (await _mcpsm.RunAsync(["config", "set", KeyHeader, _mcpsm.PathOf("my.key")])).Failed(2, "other users may read or change it", "chmod 600");
    }

    [Fact]
    public async Task Key_file_must_hold_keys_and_that_of_the_vault()
    {
        _mcpsm.Variables["MCPSM_VAULT"] = "file";
        await _mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        (await _mcpsm.RunAsync("auth set my-api a-token")).Done();
        Private("my.key", "not a key");
        (await _mcpsm.RunAsync(["config", "set", KeyHeader, _mcpsm.PathOf("my.key")])).Failed(1, "is damaged");
        Private("my.key", Convert.ToBase64String(new byte[32]));
        (await _mcpsm.RunAsync(["config", "set", KeyHeader, _mcpsm.PathOf("my.key")])).Failed(1, "contains a different key");
        Assert.Equal("a-token", await _mcpsm.TokenAsync());
    }

    [Fact]
    public async Task Key_file_of_the_settings_opens_the_vault_elsewhere()
    {
        _mcpsm.Variables["MCPSM_VAULT"] = "file";
        await _mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        (await _mcpsm.RunAsync("auth set my-api a-token")).Done();
        var elsewhere = Directory.CreateDirectory(_mcpsm.PathOf("elsewhere")).FullName;
        File.Move(_mcpsm.PathOf("credentials.key"), Path.Combine(elsewhere, "my.key"));
        (await _mcpsm.RunAsync("auth token my-api")).Failed(1, "credentials.key is missing");

        (await _mcpsm.RunAsync(["config", "set", KeyHeader, Path.Combine(elsewhere, "my.key")])).Done();

        Assert.Equal("a-token", await _mcpsm.TokenAsync());
        Assert.Contains(Path.Combine(elsewhere, "my.key"), (await _mcpsm.RunAsync("vault")).Done().Out);
        // A new key is added to that file, and the old one stays: another folder may need it.
        (await _mcpsm.RunAsync("vault rekey --key-file")).Done();
        Assert.Equal(2, File.ReadAllLines(Path.Combine(elsewhere, "my.key")).Length);
        Assert.False(File.Exists(_mcpsm.PathOf("credentials.key")));
        Assert.Equal("a-token", await _mcpsm.TokenAsync());
        File.Delete(Path.Combine(elsewhere, "my.key"));
        // Another process, without the key in memory.
        var again = new InProcessCli { Folder = _mcpsm.Folder, Variables = { ["MCPSM_VAULT"] = "file" } };
        (await again.RunAsync("auth token my-api")).Failed(1, "my.key does not exist");
    }

    [Fact]
    public async Task Variable_with_a_key_file_wins_over_the_setting()
    {
        _mcpsm.Variables["MCPSM_VAULT"] = "file";
        Private("one.key", Convert.ToBase64String(new byte[32]));
        Private("two.key", Convert.ToBase64String([.. Enumerable.Repeat((byte)7, 32)]));
        (await _mcpsm.RunAsync(["config", "set", KeyHeader, _mcpsm.PathOf("one.key")])).Done();
        _mcpsm.Variables["MCPSM_VAULT_KEY_FILE"] = _mcpsm.PathOf("two.key");
        await _mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        (await _mcpsm.RunAsync("auth set my-api a-token")).Done();

        File.Delete(_mcpsm.PathOf("one.key"));

        Assert.Equal("a-token", await _mcpsm.TokenAsync());
        Assert.False(File.Exists(_mcpsm.PathOf("credentials.key")));
    }

    private void Private(string file, string content)
    {
        _mcpsm.Write(file, content);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_mcpsm.PathOf(file), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }
}
