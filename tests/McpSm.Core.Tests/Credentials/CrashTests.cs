using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Support;
using McpSm.Core.Tests.Vaults;
using McpSm.Core.Vaults.EncryptedFile;
using Xunit;

namespace McpSm.Core.Tests.Credentials;

/// <summary>
/// Every change is cut off before each of its file operations. Afterwards the vault holds the old credential or the new one, the next
/// read makes the status agree with the vault, and the same change succeeds when repeated.
/// </summary>
public sealed class CrashTests
{
    private const string Old = "old-token";
    private const string New = "new-token";

    /// <summary>The changes: the operation, and the token after it.</summary>
    private static readonly Dictionary<string, (Func<Authenticator, McpServer, Task> Change, string? Wanted)> Changes = new()
    {
        ["set"] = ((auth, server) => auth.Servers.SetTokenAsync(server, New, null, default), New),
        ["set elsewhere"] = ((auth, server) => auth.Servers.SetTokenAsync(server, New, "memory", default), New),
        ["move the vault"] = ((auth, _) => auth.Vaults.MoveToAsync("memory", default), Old),
        ["revoke"] = ((auth, server) => auth.Servers.ClearCredentialsAsync(server, default), null),
        ["remove"] = ((auth, server) => auth.Servers.RemoveAsync(server, default), null),
        ["header"] = ((auth, server) =>
        {
            var headers = new Dictionary<string, string> { ["X-Key"] = "1" };
            return auth.Servers.UpdateAsync(server, new ServerUpdate { Headers = headers }, default);
        }, Old),
        ["rename with a token"] = ((auth, server) => auth.Servers.UpdateAsync(server, new ServerUpdate { Name = "other", Token = New }, default), New),
        ["new key"] = ((auth, _) => auth.Vaults.RekeyFileAsync(null, default), Old),
        ["import"] = ((auth, server) => auth.Plaintext.RunAsync(server, null, true, default), Old),
    };

    public static TheoryData<string> AllChanges => [.. Changes.Keys];

    [Theory]
    [MemberData(nameof(AllChanges))]
    public async Task Change_killed_at_any_step_leaves_the_old_or_the_new_credential(string name)
    {
        var (change, wanted) = Changes[name];
        for (var steps = 0; ; steps++)
        {
            using var work = new TestEnvironment();
            var other = new MemoryVault();
            var (auth, server) = await StartAsync(work, other, name);
            var died = await ProcessKill.AfterAsync(steps, () => change(auth, server));
            await CheckAsync(work, other, server, died ? [Old, wanted] : [wanted]);
            if (!died)
            {
                Assert.True(steps > 4);
                return;
            }
            await AgainAsync(work, other, change, wanted);
        }
    }

    [Theory]
    [MemberData(nameof(AllChanges))]
    public async Task Change_on_a_full_disk_is_reported_and_leaves_the_old_or_the_new(string name)
    {
        var (change, wanted) = Changes[name];
        for (var steps = 0; ; steps++)
        {
            using var work = new TestEnvironment();
            var other = new MemoryVault();
            var (auth, server) = await StartAsync(work, other, name);
            var failed = await ProcessKill.FullDiskAfterAsync(steps, () => change(auth, server));
            await CheckAsync(work, other, server, failed is null ? [wanted] : [Old, wanted]);
            Assert.Empty(Directory.GetFiles(work.Folder, "*.tmp"));
            if (failed is null)
            {
                return;
            }
            Assert.Equal(ErrorReason.ConfigurationUnavailable, Assert.IsType<McpAuthException>(failed).Reason);
            Assert.Contains("No space left on device", failed.Message);
            await AgainAsync(work, other, change, wanted);
        }
    }

    [Fact]
    public async Task Renewal_on_a_full_disk_sends_no_refresh_token()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        for (var steps = 0; steps < 4; steps++)
        {
            var failed = await ProcessKill.FullDiskAfterAsync(steps, () => scene.Authenticator.Tokens.RenewAsync(scene.Server, default));
            Assert.Equal(ErrorReason.ConfigurationUnavailable, Assert.IsType<McpAuthException>(failed).Reason);
            Assert.Empty(scene.Issuer.Traffic.OfGrant("refresh_token"));
        }
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.False(scene.Status.RenewalUncertain);
    }

    [Fact]
    public async Task Temporary_file_of_a_killed_writer_is_deleted_after_ten_minutes()
    {
        using var work = new TestEnvironment();
        var path = work.Home.PathOf("a-file");
        AtomicFile.Replace(path, "one"u8);
        Assert.True(await ProcessKill.AfterAsync(3, () => Task.Run(() => AtomicFile.Replace(path, "two"u8))));
        var temporary = Assert.Single(Directory.GetFiles(work.Folder, "a-file.*.tmp"));
        AtomicFile.Replace(path, "three"u8);
        Assert.True(File.Exists(temporary));
        File.SetLastWriteTimeUtc(temporary, DateTime.UtcNow - TimeSpan.FromMinutes(11));
        AtomicFile.Replace(path, "four"u8);
        Assert.Equal([path], Directory.GetFiles(work.Folder, "a-file*"));
        Assert.Equal("four"u8.ToArray(), AtomicFile.Read(path));
    }

    private static async Task<(Authenticator Auth, McpServer Server)> StartAsync(TestEnvironment work, MemoryVault other, string name)
    {
        var auth = MemoryVault.CreateAuthenticator(work, other);
        var server = await work.AddAsync(new Uri("https://a.example/mcp"));
        await auth.Vaults.UseAsync("file", default);
        if (name == "import")
        {
            var config = work.Home.PathOf("config.json");
            File.WriteAllText(config, File.ReadAllText(config).Replace("\"id\": \"my-api\"", $"\"id\": \"my-api\", \"bearerToken\": \"{Old}\""));
            server = auth.Catalog.Get("my-api");
        }
        else
        {
            await auth.Servers.SetTokenAsync(server, Old, null, default);
        }
        return (auth, server);
    }

    /// <summary>Another process looks: what it may use is one of these, and then status says so.</summary>
    private static async Task CheckAsync(TestEnvironment work, MemoryVault other, McpServer server, IReadOnlyList<string?> allowed)
    {
        var auth = MemoryVault.CreateAuthenticator(work, other);
        if (auth.Catalog.List().FirstOrDefault(s => s.Id == server.Id) is not { } now)
        {
            Assert.Contains(null, allowed);
            Assert.Empty(new CredentialIndex(work.Home).Read());
            Assert.Empty(await new EncryptedFileVault(work.Home).NamesAsync(default));
            return;
        }
        string? token = null;
        var e = await Record.ExceptionAsync(async () => token = await auth.Tokens.GetTokenAsync(now, default));
        Assert.True(e is null or McpAuthException { Reason: ErrorReason.AuthenticationRequired }, $"{e}");
        Assert.Contains(token, allowed);
        Assert.Equal(token is null ? AuthState.NotAuthenticated : AuthState.BearerToken, auth.Status(now).State);
    }

    private static async Task AgainAsync(TestEnvironment work, MemoryVault other, Func<Authenticator, McpServer, Task> change, string? wanted)
    {
        var auth = MemoryVault.CreateAuthenticator(work, other);
        if (auth.Catalog.List() is [var server])
        {
            await change(auth, server);
            await CheckAsync(work, other, server, [wanted]);
        }
    }
}
