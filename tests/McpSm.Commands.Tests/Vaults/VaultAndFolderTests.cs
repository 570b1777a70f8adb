using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Vaults;

/// <summary>Tests of a vault that cannot be opened and a folder that cannot be written: one error, and no loss.</summary>
public sealed class VaultAndFolderTests
{
    private static readonly string[] NeedTheVault =
    [
        "auth token my-api", "auth set my-api new-token", "auth revoke my-api", "auth logout my-api --force", "auth refresh my-api",
        "remove my-api --yes", "server update my-api --header X-Key=1", "add other --type http --url https://b.example/mcp --header X-Key=1",
    ];

    [Theory]
    [InlineData("another", "credentials.enc is locked: the passphrase is wrong.")]
    [InlineData("", "credentials.enc is locked: the passphrase is not set.")]
    public async Task Wrong_passphrase_is_one_error_and_changes_nothing(string passphrase, string says)
    {
        using var mcpsm = new InProcessCli();
        mcpsm.Variables["MCPSM_VAULT_PASSPHRASE"] = "the right one";
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        (await mcpsm.RunAsync("auth set my-api a-token")).Done();
        var before = mcpsm.Files();
        Assert.DoesNotContain("credentials.key", before.Keys);
        mcpsm.Variables["MCPSM_VAULT_PASSPHRASE"] = passphrase;
        // Checking a passphrase takes a good part of a second, so test only a few commands. The key file test runs all.
        foreach (var line in new[] { "auth token my-api", "auth set my-api new-token", "remove my-api --yes" })
        {
            (await mcpsm.RunAsync(line)).Failed(1, says, "Set MCPSM_VAULT_PASSPHRASE to the passphrase");
        }
        Assert.Contains("✔ Bearer token set", (await mcpsm.RunAsync("auth status my-api")).Done().Out);
        Assert.Equal(before, mcpsm.Files());
        mcpsm.Variables["MCPSM_VAULT_PASSPHRASE"] = "the right one";
        Assert.Equal("a-token", await mcpsm.TokenAsync());
    }

    [Theory]
    [InlineData(null, "the key file credentials.key is missing.", "Restore credentials.key")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "credentials.key contains a different key.", "Restore the matching credentials.key")]
    [InlineData("not base64!", "credentials.key is damaged. The file was not changed.", "Restore the file from a backup")]
    public async Task Missing_or_wrong_key_file_is_one_error_and_changes_nothing(string? content, string says, string remedy)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows protects key files with DPAPI.");
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        (await mcpsm.RunAsync("auth set my-api a-token")).Done();
        var key = File.ReadAllText(mcpsm.PathOf("credentials.key"));
        if (content is null)
        {
            File.Delete(mcpsm.PathOf("credentials.key"));
        }
        else
        {
            mcpsm.Write("credentials.key", content);
        }
        var before = mcpsm.Files();
        foreach (var line in NeedTheVault)
        {
            (await mcpsm.RunAsync(line)).Failed(1, says, remedy);
        }
        Assert.Contains("✔ Bearer token set", (await mcpsm.RunAsync("auth status my-api")).Done().Out);
        Assert.Equal(before, mcpsm.Files());
        mcpsm.Write("credentials.key", key);
        Assert.Equal("a-token", await mcpsm.TokenAsync());
    }

    [Theory]
    [InlineData("auth set my-api new-token --vault nosuch")]
    [InlineData("auth login my-api --no-browser --vault nosuch")]
    public async Task Unknown_vault_is_one_error_and_revokes_nothing(string line)
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.LoginAsync()).Done();
        var token = await mcpsm.TokenAsync();
        var before = mcpsm.Files();
        (await mcpsm.RunAsync(line)).Failed(1, "The vault 'nosuch' does not exist on this system.", "mcpsm vault list");
        Assert.Equal(before, mcpsm.Files());
        // The existing sign-in is not revoked either.
        Assert.True(issuer.Server.Introspect(token)?.Active);
    }

    [Fact]
    public async Task Folder_that_cannot_be_created_is_one_error()
    {
        using var place = new InProcessCli();
        place.Write("a-file", "");
        using var mcpsm = new InProcessCli();
        mcpsm.Variables["MCP_MANAGER_CONFIG_DIR"] = Path.Combine(place.Folder, "a-file", "below");
        foreach (var line in new[] { "add my-api --type http --url https://a.example/mcp", "add my-api --type http --url https://a.example/mcp --header A=b" })
        {
            (await mcpsm.RunAsync(line)).Failed(1, "a-file", "MCPSM_CONFIG_DIR");
        }
        Assert.Equal("", File.ReadAllText(place.PathOf("a-file")));
    }

    [Fact]
    public async Task Read_only_folder_is_one_error_and_stays_readable()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        (await mcpsm.RunAsync("auth set my-api a-token")).Done();
        var before = mcpsm.Files();
        using var closed = new Unwritable(mcpsm.Folder);
        foreach (var line in new[]
        {
            "add other --type http --url https://b.example/mcp", "auth set my-api new-token", "auth revoke my-api", "remove my-api --yes",
        })
        {
            (await mcpsm.RunAsync(line)).Failed(1, mcpsm.Folder, "MCPSM_CONFIG_DIR");
        }
        Assert.Contains("✔ Bearer token set", (await mcpsm.RunAsync("auth status my-api")).Done().Out);
        Assert.Equal("a-token", await mcpsm.TokenAsync());
        Assert.Equal(before, mcpsm.Files());
    }

    /// <summary>
    /// A folder in which no file can be created or replaced. Modes do not restrict root: for root a file replaces the
    /// folder of the locks, which makes writers fail but not readers.
    /// </summary>
    private sealed class Unwritable : IDisposable
    {
        private const UnixFileMode Open = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

        private readonly string _folder;
        private readonly bool _isRoot = Environment.UserName == "root";

        public Unwritable(string folder)
        {
            _folder = folder;
            if (_isRoot)
            {
                Directory.Delete(Path.Combine(folder, "locks"), recursive: true);
                File.WriteAllText(Path.Combine(folder, "locks"), "");
            }
            else if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(Path.Combine(folder, "locks"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
                File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            }
        }

        public void Dispose()
        {
            if (!_isRoot && !OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(_folder, Open);
                File.SetUnixFileMode(Path.Combine(_folder, "locks"), Open);
            }
        }
    }
}
