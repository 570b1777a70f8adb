using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Vaults;

/// <summary>
/// Tests of the owner of the configuration folder and its files. The executable runs as other users, with <c>.mcp-manager</c> in their
/// home, unless a test names the folder.
/// </summary>
public sealed class FolderOwnerTests : IDisposable
{
    private readonly CliProcess _mcpsm = new();

    public FolderOwnerTests()
    {
        _mcpsm.Variables["MCP_MANAGER_CONFIG_DIR"] = "";
        _mcpsm.Variables["MCPSM_VAULT"] = "file";
        _mcpsm.Variables["HOME"] = _mcpsm.Folder;
    }

    private string Folder => Path.Combine(_mcpsm.Folder, ".mcp-manager");

    public void Dispose() => _mcpsm.Dispose();

    [Fact]
    public async Task Folder_that_others_can_write_is_restricted_with_one_notice()
    {
        await OtherUser.BecomeAsync(_mcpsm);
        await PrepareAsync(OtherUser.Id, OtherUser.Id);
        await OtherUser.RunAsync("chmod", "775", Folder);
        Assert.Equal("", (await _mcpsm.RunAsync("list")).Done().Error);
        Assert.Equal($"{OtherUser.Id}:{OtherUser.Id} 775", await OtherUser.OwnerAsync(Folder));
        var ended = await _mcpsm.RunAsync("auth token my-api");
        Assert.Equal("a-token\n", ended.Done().Out);
        Assert.Single(ended.Error.Split('\n'), l => l.Contains($"Other users could write to the folder '{Folder}'"));
        Assert.Equal($"{OtherUser.Id}:{OtherUser.Id} 755", await OtherUser.OwnerAsync(Folder));
        Assert.Equal("", (await _mcpsm.RunAsync("auth token my-api")).Done().Error);
    }

    [Fact]
    public async Task Files_created_under_umask_002_are_readable_only_by_the_owner()
    {
        await OtherUser.BecomeAsync(_mcpsm);
        _mcpsm.Executable = ["sh", "-c", "umask 002; exec \"$@\"", "sh", .. _mcpsm.Executable];
        await KeepAsync();
        Assert.Equal($"{OtherUser.Id}:{OtherUser.Id} 700", await OtherUser.OwnerAsync(Folder));
        foreach (var file in Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories))
        {
            Assert.Equal($"{OtherUser.Id}:{OtherUser.Id} 600", await OtherUser.OwnerAsync(file));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Files_created_by_root_belong_to_the_owner_of_the_folder(bool withFolder)
    {
        var asRoot = _mcpsm.Executable;
        await OtherUser.BecomeAsync(_mcpsm, 1000);
        var asUser = _mcpsm.Executable;
        if (withFolder)
        {
            Directory.CreateDirectory(Folder);
            await OtherUser.GiveAsync(Folder, 1000, 1000);
        }
        _mcpsm.Executable = asRoot;
        await KeepAsync();
        foreach (var made in Directory.EnumerateFileSystemEntries(Folder, "*", SearchOption.AllDirectories).Append(Folder))
        {
            Assert.StartsWith("1000:1000 ", await OtherUser.OwnerAsync(made));
        }
        _mcpsm.Executable = asUser;
        Assert.Equal("a-token\n", (await _mcpsm.RunAsync("auth token my-api")).Done().Out);
        (await _mcpsm.RunAsync("auth revoke my-api")).Done();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task User_in_the_root_group_can_use_a_home_of_root(bool withFolder)
    {
        await OtherUser.BecomeAsync(_mcpsm, OtherUser.Id, group: 0);
        await OtherUser.GiveAsync(_mcpsm.Folder, 0, 0);
        await OtherUser.RunAsync("chmod", "2775", _mcpsm.Folder);
        if (withFolder)
        {
            Directory.CreateDirectory(Folder);
            await OtherUser.RunAsync("chmod", "2775", Folder);
        }
        await KeepAsync();
        var ended = (await _mcpsm.RunAsync("auth token my-api")).Done();
        Assert.Equal(("a-token\n", ""), (ended.Out, ended.Error));
        Assert.Equal($"{OtherUser.Id}:0 600", await OtherUser.OwnerAsync(Path.Combine(Folder, "credentials.key")));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(OtherUser.Id)]
    public async Task Files_mounted_through_links_are_read(int reader)
    {
        var asRoot = _mcpsm.Executable;
        await OtherUser.BecomeAsync(_mcpsm);
        (var asUser, _mcpsm.Executable) = (_mcpsm.Executable, asRoot);
        await OtherUser.GiveAsync(_mcpsm.Folder, 0, 0);
        await KeepAsync();
        // The layout of a secret that the kubelet mounts for a group of the pod.
        var data = Directory.CreateDirectory(Path.Combine(Folder, "..2030_01_01")).FullName;
        Directory.CreateSymbolicLink(Path.Combine(Folder, "..data"), "..2030_01_01");
        Directory.Delete(Path.Combine(Folder, "locks"), recursive: true);
        foreach (var file in Directory.EnumerateFiles(Folder))
        {
            File.Move(file, Path.Combine(data, Path.GetFileName(file)));
            File.CreateSymbolicLink(file, "..data/" + Path.GetFileName(file));
            await OtherUser.RunAsync("chmod", reader == 0 ? "400" : "440", Path.Combine(data, Path.GetFileName(file)));
            await OtherUser.GiveAsync(Path.Combine(data, Path.GetFileName(file)), 0, reader);
        }
        await OtherUser.RunAsync("chmod", "555", Folder, data);
        await OtherUser.RunAsync("chmod", "755", _mcpsm.Folder);
        _mcpsm.Executable = reader == 0 ? asRoot : asUser;
        Assert.Contains("Bearer token set", (await _mcpsm.RunAsync("auth status")).Done().Out);
        var ended = (await _mcpsm.RunAsync("auth token my-api")).Done();
        Assert.Equal(("a-token\n", ""), (ended.Out, ended.Error));
        if (reader != 0)
        {
            (await _mcpsm.RunAsync("auth set my-api other-token")).Failed(1, Folder, "MCPSM_CONFIG_DIR");
        }
    }

    [Fact]
    public async Task Folder_of_another_user_is_used_only_if_it_is_configured()
    {
        await OtherUser.BecomeAsync(_mcpsm);
        await PrepareAsync(1000, 1000);
        // Writable for all, so that only the owner matters.
        await OtherUser.RunAsync("chmod", "-R", "a+rwX", Folder);
        var before = File.ReadAllBytes(Path.Combine(Folder, "credentials.enc"));
        Assert.Contains("Bearer token set", (await _mcpsm.RunAsync("auth status my-api")).Done().Out);
        foreach (var line in new[]
        {
            "auth token my-api", "auth set my-api other-token", "add b --type http --url https://b.example/mcp --token other-token",
            "server update my-api --header X-Key=1", "vault use file", "vault use file --move", "vault rekey --key-file",
        })
        {
            (await _mcpsm.RunAsync(line)).Failed(1, $"'{Folder}' belongs to another user (1000)", $"set MCPSM_CONFIG_DIR to {Folder}");
        }
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(Folder, "credentials.enc")));

        _mcpsm.Variables["MCPSM_CONFIG_DIR"] = Folder;
        var ended = (await _mcpsm.RunAsync("auth token my-api")).Done();
        Assert.Equal("a-token\n", ended.Out);
        Assert.Single(ended.Error.Split('\n'), l => l.Contains($"The folder '{Folder}' belongs to another user (1000)"));
        (await _mcpsm.RunAsync("auth set my-api other-token")).Done();
    }

    [Fact]
    public async Task Key_of_another_user_is_used_only_if_the_folder_is_configured()
    {
        await OtherUser.BecomeAsync(_mcpsm);
        await PrepareAsync(OtherUser.Id, OtherUser.Id);
        var key = Path.Combine(Folder, "credentials.key");
        await OtherUser.GiveAsync(key, 1000, 1000);
        await OtherUser.RunAsync("chmod", "644", key);
        (await _mcpsm.RunAsync("auth token my-api")).Failed(1, $"'{key}' belongs to another user (1000)");
        (await _mcpsm.RunAsync("auth set my-api other-token")).Failed(1, $"'{key}' belongs to another user (1000)");
        _mcpsm.Variables["MCPSM_CONFIG_DIR"] = Folder;
        Assert.Equal("a-token\n", (await _mcpsm.RunAsync("auth token my-api")).Done().Out);
    }

    [Fact]
    public async Task File_mode_that_cannot_be_changed_is_a_warning()
    {
        Require.OrSkip(File.Exists("/usr/bin/strace"), "strace is missing; it makes a system call fail.");
        await OtherUser.BecomeAsync(_mcpsm);
        await PrepareAsync(OtherUser.Id, OtherUser.Id);
        await OtherUser.RunAsync("chmod", "775", Folder);
        _mcpsm.Executable = ["/usr/bin/strace", "-f", "-o", "/dev/null", "-e", "trace=chmod,fchmodat", "-e",
            "inject=chmod,fchmodat:retval=0", .. _mcpsm.Executable];
        var ended = await _mcpsm.RunAsync("auth token my-api");
        Assert.SkipWhen(ended.Error.Contains("Operation not permitted"), "Tracing is not permitted here.");
        Assert.Equal("a-token\n", ended.Done().Out);
        Assert.Single(ended.Error.Split('\n'), l => l.Contains($"Other users can write to the folder '{Folder}'"));
    }

    [Fact]
    public async Task Locks_folder_that_is_a_link_is_followed_only_if_the_user_owns_it()
    {
        var asRoot = _mcpsm.Executable;
        await OtherUser.BecomeAsync(_mcpsm);
        _mcpsm.Executable = asRoot;
        await OtherUser.GiveAsync(_mcpsm.Folder, 0, 0);
        await KeepAsync();
        var (locks, elsewhere) = (Path.Combine(Folder, "locks"), Directory.CreateDirectory(Path.Combine(_mcpsm.Folder, "elsewhere")).FullName);
        Directory.Delete(locks, recursive: true);
        Directory.CreateSymbolicLink(locks, elsewhere);
        (await _mcpsm.RunAsync("auth set my-api other-token")).Done();
        foreach (var made in Directory.EnumerateFiles(elsewhere))
        {
            File.Delete(made);
        }
        await OtherUser.RunAsync("chown", "-h", "1000:1000", locks);
        (await _mcpsm.RunAsync("auth set my-api third-token")).Failed(1, $"Cannot use '{locks}': it is a link");
        Assert.Empty(Directory.EnumerateFiles(elsewhere));
    }

    private async Task KeepAsync()
    {
        (await _mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp")).Done();
        (await _mcpsm.RunAsync(["auth", "set", "my-api", "-"], "a-token")).Done();
    }

    /// <summary>Creates a folder with a token, and changes its owner and group.</summary>
    private async Task PrepareAsync(int user, int group)
    {
        await KeepAsync();
        await OtherUser.RunAsync("chown", "-R", $"{user}:{group}", Folder);
    }
}
