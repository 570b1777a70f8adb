using System.Runtime.Versioning;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Core.Vaults.EncryptedFile;
using Xunit;

namespace McpSm.Core.Tests.Vaults;

public sealed class VaultTests
{
    private static async Task<string> FilledAsync(TestEnvironment work)
    {
        await new EncryptedFileVault(work.Home).SetAsync("mcpsm-a", "secret-planted", default);
        return Path.Combine(work.Folder, "credentials.enc");
    }

    private static async Task<McpAuthException> FailsAsync(TestEnvironment work, string path)
    {
        var before = File.ReadAllBytes(path);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => new EncryptedFileVault(work.Home).SetAsync("mcpsm-b", "x", default));
        Assert.Equal(before, File.ReadAllBytes(path));
        return e;
    }

    [Theory]
    [InlineData(null)]
    [InlineData("correct horse")]
    public async Task Stored_text_is_returned_and_is_not_in_the_file_in_plaintext(string? passphrase)
    {
        using var work = new TestEnvironment();
        if (passphrase is not null)
        {
            work.Variables["MCPSM_VAULT_PASSPHRASE"] = passphrase;
        }
        var path = await FilledAsync(work);
        Assert.Equal("secret-planted", await new EncryptedFileVault(work.Home).GetAsync("mcpsm-a", Cancellation));
        Assert.DoesNotContain("planted", System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(path)));
        Assert.Equal(passphrase is null, File.Exists(Path.Combine(work.Folder, "credentials.key")));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }
    }

    [Fact]
    public async Task Wrong_passphrase_is_an_error_and_changes_nothing()
    {
        using var work = new TestEnvironment();
        work.Variables["MCPSM_VAULT_PASSPHRASE"] = "right";
        var path = await FilledAsync(work);
        work.Variables["MCPSM_VAULT_PASSPHRASE"] = "wrong";
        Assert.Equal(ErrorReason.VaultLocked, (await FailsAsync(work, path)).Reason);
    }

    [Fact]
    public async Task Any_changed_bit_or_truncation_is_reported_as_damage()
    {
        using var work = new TestEnvironment();
        var path = await FilledAsync(work);
        var whole = File.ReadAllBytes(path);
        for (var i = 0; i < whole.Length; i++)
        {
            var changed = (byte[])whole.Clone();
            changed[i] ^= 0x10;
            File.WriteAllBytes(path, changed);
            Assert.Equal(ErrorReason.VaultCorrupt, (await FailsAsync(work, path)).Reason);
        }
        for (var length = 0; length < whole.Length; length += 7)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Equal(ErrorReason.VaultCorrupt, (await FailsAsync(work, path)).Reason);
        }
    }

    [Fact]
    public async Task File_of_another_version_or_without_passphrase_has_its_own_error()
    {
        using var work = new TestEnvironment();
        work.Variables["MCPSM_VAULT_PASSPHRASE"] = "right";
        var path = await FilledAsync(work);
        var whole = File.ReadAllBytes(path);
        var foreign = (byte[])whole.Clone();
        foreign[9] = 2;
        System.Security.Cryptography.SHA256.HashData(foreign.AsSpan(0, 10)).AsSpan(0, 2).CopyTo(foreign.AsSpan(10));
        File.WriteAllBytes(path, foreign);
        var e = await FailsAsync(work, path);
        Assert.Equal((ErrorReason.VaultUnavailable, true), (e.Reason, e.Message.Contains("format 2")));
        File.WriteAllBytes(path, whole);
        work.Variables.Remove("MCPSM_VAULT_PASSPHRASE");
        e = await FailsAsync(work, path);
        Assert.Equal((ErrorReason.VaultLocked, true), (e.Reason, e.Message.Contains("the passphrase is not set")));
    }

    [Theory]
    [InlineData(null, "new")]
    [InlineData("old", "new")]
    [InlineData("old", null)]
    [InlineData(null, null)]
    public async Task Key_change_makes_the_old_file_unreadable(string? before, string? after)
    {
        using var work = new TestEnvironment();
        Use(work, before);
        var path = await FilledAsync(work);
        var (oldFile, oldKey) = (File.ReadAllBytes(path), KeyFile(work));
        await new EncryptedFileVault(work.Home).RekeyAsync(after, Cancellation);
        Use(work, after);
        Assert.Equal("secret-planted", await new EncryptedFileVault(work.Home).GetAsync("mcpsm-a", Cancellation));
        Assert.Equal(after is null, KeyFile(work) is not null);
        Assert.NotEqual(oldKey ?? "none", KeyFile(work));
        await new EncryptedFileVault(work.Home).SetAsync("mcpsm-b", "x", Cancellation);
        // A copy from before the change does not open with the new key.
        File.WriteAllBytes(path, oldFile);
        Assert.Equal(ErrorReason.VaultLocked, (await FailsAsync(work, path)).Reason);
    }

    [Fact]
    public async Task Key_change_killed_between_its_writes_leaves_a_readable_file()
    {
        using var work = new TestEnvironment();
        var path = await FilledAsync(work);
        var (oldFile, oldKey) = (File.ReadAllBytes(path), KeyFile(work)!);
        await new EncryptedFileVault(work.Home).RekeyAsync(null, Cancellation);
        var (newFile, newKey) = (File.ReadAllBytes(path), KeyFile(work)!);
        foreach (var file in new[] { oldFile, newFile })
        {
            File.WriteAllBytes(path, file);
            File.WriteAllText(Path.Combine(work.Folder, "credentials.key"), newKey + oldKey);
            Assert.Equal("secret-planted", await new EncryptedFileVault(work.Home).GetAsync("mcpsm-a", Cancellation));
        }
        await new EncryptedFileVault(work.Home).RekeyAsync(null, Cancellation);
        Assert.Single(KeyFile(work)!.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Reader_during_a_key_change_keeps_reading()
    {
        using var work = new TestEnvironment();
        await FilledAsync(work);
        using var stop = new CancellationTokenSource();
        var reading = Task.Run(async () =>
        {
            var reads = 0;
            for (; !stop.IsCancellationRequested; reads++)
            {
                Assert.Equal("secret-planted", await new EncryptedFileVault(work.Home).GetAsync("mcpsm-a", default));
            }
            return reads;
        });
        for (var i = 0; i < 30; i++)
        {
            await new EncryptedFileVault(work.Home).RekeyAsync(null, Cancellation);
        }
        stop.Cancel();
        Assert.True(await reading > 30);
    }

    [Fact]
    public async Task Key_file_beside_a_passphrase_accepts_renewals_with_one_warning()
    {
        using var work = new TestEnvironment();
        var path = await FilledAsync(work);
        work.Variables["MCPSM_VAULT_PASSPHRASE"] = "believed";
        var warnings = new List<string>();
        var vault = new EncryptedFileVault(work.Home, warnings.Add);
        await vault.ReplaceAsync("mcpsm-a", "renewed", Cancellation);
        await vault.ReplaceAsync("mcpsm-a", "renewed again", Cancellation);
        Assert.Contains("mcpsm vault rekey --passphrase", Assert.Single(warnings));
        Assert.Equal("renewed again", await vault.GetAsync("mcpsm-a", Cancellation));
        // A renewal replaces an item of the vault. Storing a new secret is refused even under an existing name.
        await Assert.ThrowsAsync<McpAuthException>(() => vault.ReplaceAsync("mcpsm-b", "x", Cancellation));
        await Assert.ThrowsAsync<McpAuthException>(() => vault.SetAsync("mcpsm-a", "x", Cancellation));
        Assert.Equal((ErrorReason.VaultUnavailable, "mcpsm vault rekey --passphrase"),
            await FailsAsync(work, path) is var e ? (e.Reason, e.Remedy.InShell()) : default);
        Assert.Equal("renewed again", await vault.GetAsync("mcpsm-a", Cancellation));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(99_999, false)]
    [InlineData(100_000, true)]
    [InlineData(2_000_000, true)]
    [InlineData(2_000_001, false)]
    [InlineData(int.MaxValue, false)]
    [InlineData(-1, false)]
    public void File_with_an_unsafe_number_of_rounds_is_refused_unread(int rounds, bool safe)
    {
        var source = new KeyHeader(true, rounds, new byte[16], new byte[16]);
        var file = EncryptedFileFormat.Seal(new VaultKey(source, new byte[32]), "{}"u8);
        if (safe)
        {
            Assert.Equal(rounds, EncryptedFileFormat.ReadHeader(file).Iterations);
            return;
        }
        using var work = new TestEnvironment();
        work.Variables["MCPSM_VAULT_PASSPHRASE"] = "right";
        File.WriteAllBytes(Path.Combine(work.Folder, "credentials.enc"), file);
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        var e = Assert.Throws<McpAuthException>(() => { _ = new EncryptedFileVault(work.Home).GetAsync("mcpsm-a", Cancellation); });
        Assert.Equal((ErrorReason.VaultCorrupt, true), (e.Reason, e.Message.Contains("iterations")));
        Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(5), "the passphrase was stretched");
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task Key_file_readable_by_others_is_protected_and_reported_once()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Modes are those of Unix.");
        using var work = new TestEnvironment();
        await FilledAsync(work);
        var (key, warnings) = (Path.Combine(work.Folder, "credentials.key"), new List<string>());
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        void Open(bool folder)
        {
            File.SetUnixFileMode(key, owner | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            File.SetUnixFileMode(work.Folder, owner | UnixFileMode.UserExecute | (folder ? UnixFileMode.OtherExecute : UnixFileMode.None));
        }
        Open(folder: false);
        Assert.Contains("which only you can read", new EncryptedFileVault(work.Home).Protection);
        Assert.Equal("secret-planted", await new EncryptedFileVault(work.Home, warnings.Add).GetAsync("mcpsm-a", Cancellation));
        Assert.Equal((owner, 0), (File.GetUnixFileMode(key), warnings.Count));
        Open(folder: true);
        Assert.Contains("which other users of this machine can read", new EncryptedFileVault(work.Home).Protection);
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal("secret-planted", await new EncryptedFileVault(work.Home, warnings.Add).GetAsync("mcpsm-a", Cancellation));
            Assert.Equal(owner, File.GetUnixFileMode(key));
        }
        Assert.Contains("mcpsm vault rekey --key-file", Assert.Single(warnings));
        Assert.Contains("which only you can read", new EncryptedFileVault(work.Home).Protection);
    }

    [Fact]
    public async Task Passphrase_is_stretched_in_600000_rounds_with_a_unique_salt()
    {
        var salts = new HashSet<string>();
        for (var i = 0; i < 2; i++)
        {
            using var work = new TestEnvironment();
            work.Variables["MCPSM_VAULT_PASSPHRASE"] = "the same";
            var file = File.ReadAllBytes(await FilledAsync(work));
            Assert.Equal(600_000u, System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(60)));
            Assert.True(salts.Add(Convert.ToHexString(file.AsSpan(16, 16))));
        }
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task Created_files_are_accessible_only_by_their_owner()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Modes are those of Unix.");
        using var work = new TestEnvironment();
        var folder = Path.Combine(work.Folder, "made");
        work.Variables["MCPSM_CONFIG_DIR"] = folder;
        var auth = work.New();
        await auth.Vaults.UseAsync("file", Cancellation);
        var server = await auth.Catalog.AddAsync(new() { Id = "", Name = "my-api", Url = "https://a.example/mcp" }, Cancellation);
        await auth.Servers.SetTokenAsync(server, "a-token", null, Cancellation);
        var made = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).ToList();
        Assert.Superset(new HashSet<string>(["config.json", "credentials.json", "credentials.enc", "credentials.key", "settings.json"]),
            made.Select(f => Path.GetFileName(f)).ToHashSet());
        Assert.All(made, f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
        Assert.All(Directory.EnumerateDirectories(folder).Append(folder), f =>
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(f)));
    }

    private static void Use(TestEnvironment work, string? passphrase)
    {
        work.Variables.Remove("MCPSM_VAULT_PASSPHRASE");
        if (passphrase is not null)
        {
            work.Variables["MCPSM_VAULT_PASSPHRASE"] = passphrase;
        }
    }

    private static string? KeyFile(TestEnvironment work) =>
        Path.Combine(work.Folder, "credentials.key") is var path && File.Exists(path) ? File.ReadAllText(path) : null;
}
