using System.Diagnostics;
using System.Text.Json.Nodes;
using McpSm.Commands.Remedies;
using McpSm.Commands.Tests.Support;
using McpSm.Core.Configuration;
using McpSm.Core.Vaults.EncryptedFile;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Auth;

/// <summary>
/// Tests of processes that cannot store a new token: with a full disk, few handles, a file size limit, or a vault that cannot be
/// replaced. They send no refresh token. If the vault fails only after the request, the token waits in the encrypted file.
/// </summary>
public sealed class UnstoredTokenTests : IAsyncLifetime
{
    private readonly CliProcess _mcpsm = new();
    private TestIssuer _issuer = null!;
    private TestMcpServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _server = await TestMcpServer.StartAsync(_issuer);
        // The portable runtime writes large files when it starts; the native executable does not.
        _mcpsm.Variables["DOTNET_EnableWriteXorExecute"] = "0";
        _mcpsm.Variables["DOTNET_EnableDiagnostics"] = "0";
    }

    public async ValueTask DisposeAsync()
    {
        _mcpsm.Dispose();
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Rule(23)]
    [Theory]
    [InlineData(4)]
    [InlineData(12)]
    [InlineData(24)]
    public async Task Disk_with_room_for_the_index_only_spends_no_refresh_token(int kibibytes)
    {
        Linux();
        var disk = Directory.CreateDirectory(Path.Combine(_mcpsm.Folder, "disk")).FullName;
        await MountAsync("-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", disk);
        try
        {
            _mcpsm.Variables["MCP_MANAGER_CONFIG_DIR"] = Directory.CreateDirectory(Path.Combine(disk, "home")).FullName;
            await SignInAsync();
            await FillVaultAsync();
            FillBut(disk, kibibytes);
            (await _mcpsm.RunAsync("auth refresh my-api")).Failed(1, "No space left on device", "Free up space");
            Assert.Empty(_issuer.Traffic.OfGrant("refresh_token"));
            File.Delete(Path.Combine(disk, "filler"));
            await StillSignedInAsync();
        }
        finally
        {
            await RunAsync("umount", disk);
        }
    }

    [Rule(23)]
    [Theory]
    [InlineData("-f", 8)]
    [InlineData("-f", 40)]
    [InlineData("-f", 1)]
    public async Task File_size_limit_spends_no_refresh_token(string option, int limit)
    {
        Linux();
        await SignInAsync();
        await FillVaultAsync();
        var ended = await _mcpsm.RunShellAsync($"ulimit {option} {limit}; exec \"$@\"", ["auth", "refresh", "my-api"]);
        ended.Failed(1, "exceed the file size limit of this process", "ulimit -f");
        Assert.Empty(_issuer.Traffic.OfGrant("refresh_token"));
        await StillSignedInAsync();
    }

    [Rule(23)]
    [Fact]
    public async Task Open_file_limit_loses_no_sign_in()
    {
        Linux();
        await SignInAsync();
        var (refused, least) = (0, 5);
        // With fewer handles the runtime does not start or does not find its files.
        while ((await LimitedAsync(least, "auth", "status", "my-api")).Code != 0)
        {
            least += 4;
        }
        for (var limit = least; ; limit++)
        {
            var sent = _issuer.Traffic.OfGrant("refresh_token").Count;
            var ended = await LimitedAsync(limit, "auth", "refresh", "my-api");
            if (ended.Code == 0)
            {
                break;
            }
            refused++;
            // A response of the issuer is always stored: in the vault, or in the file that waits for it.
            Assert.True((await _mcpsm.RunAsync("auth refresh my-api")).Code == 0, $"lost with ulimit -n {limit}: {ended.Error}");
            Assert.InRange(_issuer.Traffic.OfGrant("refresh_token").Count - sent, 1, 2);
        }
        Assert.InRange(refused, 1, 60);
    }

    private Task<CliResult> LimitedAsync(int handles, params string[] arguments) => _mcpsm.RunShellAsync($"ulimit -n {handles}; exec \"$@\"", arguments);

    [Fact]
    public async Task Vault_that_is_a_mount_point_is_an_error_before_any_request()
    {
        Linux();
        await SignInAsync();
        var (file, other) = (Path.Combine(_mcpsm.Folder, "credentials.enc"), Path.Combine(_mcpsm.Folder, "elsewhere"));
        File.Copy(file, other);
        await MountAsync("--bind", other, file);
        try
        {
            (await _mcpsm.RunAsync("auth refresh my-api")).Failed(1, "credentials.enc", "it is a mount point", "Mount the folder");
            Assert.Empty(_issuer.Traffic.OfGrant("refresh_token"));
        }
        finally
        {
            await RunAsync("umount", file);
        }
        await StillSignedInAsync();
    }

    [Fact]
    public async Task Vault_linked_to_a_read_only_folder_is_an_error_before_any_request()
    {
        Linux();
        await SignInAsync();
        var place = Directory.CreateDirectory(Path.Combine(_mcpsm.Folder, "read-only")).FullName;
        var file = Path.Combine(_mcpsm.Folder, "credentials.enc");
        await MountAsync("-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", place);
        try
        {
            File.Copy(file, Path.Combine(place, "credentials.enc"));
            File.Delete(file);
            File.CreateSymbolicLink(file, Path.Combine(place, "credentials.enc"));
            await MountAsync("-o", "remount,ro", place);
            (await _mcpsm.RunAsync("auth refresh my-api")).Failed(1, "is a link to", "which is not writable");
            Assert.Empty(_issuer.Traffic.OfGrant("refresh_token"));
            await MountAsync("-o", "remount,rw", place);
            await StillSignedInAsync();
        }
        finally
        {
            await RunAsync("umount", place);
        }
    }

    [Rule(23)]
    [Fact]
    public async Task Keyring_that_locks_during_a_token_request_loses_no_sign_in()
    {
        await using var keyring = await Keyring.StartAsync();
        foreach (var (name, value) in keyring.Variables)
        {
            _mcpsm.Variables[name] = value;
        }
        _mcpsm.Variables["MCPSM_VAULT"] = "secret-service";
        await SignInAsync();
        _issuer.Faults.Before("/token", _ => keyring.LockAsync(), times: 1);
        (await _mcpsm.RunAsync("auth refresh my-api"))
            .Failed(1, "waits in credentials.enc", "The keyring of the Secret Service is locked.", "mcpsm auth refresh my-api");
        Assert.Single(_issuer.Traffic.OfGrant("refresh_token"));
        // The token is printed although the keyring is locked.
        var token = (await _mcpsm.RunAsync("auth token my-api")).Done().Out.TrimEnd('\n');
        Assert.True(_issuer.Server.Introspect(token)?.Active);
        var status = (await _mcpsm.RunAsync("auth status my-api")).Done();
        Assert.Contains("waiting for its vault", status.Out);
        Assert.True((bool)JsonNode.Parse((await _mcpsm.RunAsync("auth status my-api --json")).Out)!.AsArray().Single()!["pending"]!);
        (await _mcpsm.RunAsync("auth refresh my-api")).Failed(1, "The keyring of the Secret Service is locked.");
        Assert.Single(_issuer.Traffic.OfGrant("refresh_token"));
        await keyring.StopServiceAsync();
        await keyring.StartServiceAsync();
        Assert.Equal(token, (await _mcpsm.RunAsync("auth token my-api")).Done().Out.TrimEnd('\n'));
        await StillSignedInAsync();
        Assert.False(File.Exists(Path.Combine(_mcpsm.Folder, "credentials.enc")));
        Assert.DoesNotContain("waits", (await _mcpsm.RunAsync("auth status my-api")).Done().Out);
    }

    [Fact]
    public async Task Keyring_that_locks_during_a_due_renewal_prints_the_token_with_a_warning()
    {
        await using var issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions { AccessTokenLifetime = TimeSpan.FromSeconds(1) });
        await using var server = await TestMcpServer.StartAsync(issuer);
        await using var keyring = await Keyring.StartAsync();
        foreach (var (name, value) in keyring.Variables)
        {
            _mcpsm.Variables[name] = value;
        }
        _mcpsm.Variables["MCPSM_VAULT"] = "secret-service";
        await SignInAsync(server);
        await Task.Delay(TimeSpan.FromSeconds(1.2), Cancellation);
        issuer.Faults.RewriteJson("/token", json => json["expires_in"] = 3600);
        issuer.Faults.Before("/token", _ => keyring.LockAsync(), times: 1);
        var ended = (await _mcpsm.RunAsync("auth token my-api")).Done();
        Assert.Contains("waits in credentials.enc", ended.Error);
        Assert.Contains(ended.Out.TrimEnd('\n'), issuer.Server.IssuedTokens.Select(t => t.Value));
    }

    [Fact]
    public async Task Output_above_the_file_size_limit_is_an_error_without_a_stack_trace()
    {
        Linux();
        (await _mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp")).Done();
        var file = Path.Combine(_mcpsm.Folder, "out");
        File.WriteAllText(file, new string('x', 8 * 1024));
        var ended = await _mcpsm.RunShellAsync($"ulimit -f 8; exec \"$@\" >>'{file}'", ["--help"]);
        Assert.Equal(1, ended.Code);
        Assert.DoesNotContain("   at ", ended.Error);
    }

    private Task SignInAsync() => SignInAsync(_server);

    private async Task SignInAsync(TestMcpServer server)
    {
        _mcpsm.Variables.TryAdd("MCPSM_VAULT", "file");
        (await _mcpsm.RunAsync($"add my-api --type http --url {server.McpUrl}")).Done();
        (await _mcpsm.RunAsync("auth login my-api --no-browser --callback-port 0")).Done();
    }

    /// <summary>Adds secrets of other servers, so that the vault (36 KB) is larger than the index.</summary>
    private async Task FillVaultAsync()
    {
        var folder = _mcpsm.Variables.GetValueOrDefault("MCP_MANAGER_CONFIG_DIR") ?? _mcpsm.Folder;
        var environment = new AppEnvironment(name => name == "MCPSM_CONFIG_DIR" ? folder : null) { Remedies = CliRemedyFormatter.Instance };
        await new EncryptedFileVault(environment).SetAsync("mcpsm-other", $$"""{"url":"https://a.example/","bearerToken":"{{new string('x', 34 * 1024)}}"}""",
            Cancellation);
    }

    private async Task StillSignedInAsync()
    {
        (await _mcpsm.RunAsync("auth refresh my-api")).Done();
        Assert.True(_issuer.Server.Introspect((await _mcpsm.RunAsync("auth token my-api")).Done().Out.TrimEnd('\n'))?.Active);
    }

    private static void FillBut(string disk, int kibibytes)
    {
        var filler = Path.Combine(disk, "filler");
        using (var stream = new FileStream(filler, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0 }))
        {
            try
            {
                while (true)
                {
                    stream.Write(new byte[1024]);
                }
            }
            catch (IOException)
            {
                // The disk is full, as intended.
            }
            stream.SetLength(stream.Length / 4096 * 4096 - kibibytes * 1024);
        }
    }

    private static void Linux() => Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has these limits and mounts.");

    private static async Task MountAsync(params string[] arguments) =>
        Require.OrSkip(await RunAsync("mount", arguments), "Mounting needs Linux and root.");

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }
}
