using McpSm.Core.Errors;
using McpSm.Core.Vaults;
using Xunit;

namespace McpSm.Core.Tests;

public sealed class VaultTests
{
    private static async Task<string> FilledAsync(Workplace work)
    {
        await new EncryptedFileVault(work.Home).SetAsync("mcpsm-a", "secret-planted", default);
        return Path.Combine(work.Folder, "credentials.enc");
    }

    private static async Task<McpAuthException> FailsAsync(Workplace work, string path)
    {
        var before = File.ReadAllBytes(path);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => new EncryptedFileVault(work.Home).SetAsync("mcpsm-b", "x", default));
        Assert.Equal(before, File.ReadAllBytes(path));
        return e;
    }

    [Theory]
    [InlineData(null)]
    [InlineData("correct horse")]
    public async Task What_is_kept_comes_back_and_stands_nowhere_in_the_clear(string? passphrase)
    {
        using var work = new Workplace();
        if (passphrase is not null)
        {
            work.Variables["MCPSM_VAULT_PASSPHRASE"] = passphrase;
        }
        var path = await FilledAsync(work);
        Assert.Equal("secret-planted", await new EncryptedFileVault(work.Home).GetAsync("mcpsm-a", default));
        Assert.DoesNotContain("planted", System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(path)));
        Assert.Equal(passphrase is null, File.Exists(Path.Combine(work.Folder, "credentials.key")));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }
    }

    [Fact]
    public async Task A_wrong_passphrase_locks_and_changes_nothing()
    {
        using var work = new Workplace();
        work.Variables["MCPSM_VAULT_PASSPHRASE"] = "right";
        var path = await FilledAsync(work);
        work.Variables["MCPSM_VAULT_PASSPHRASE"] = "wrong";
        Assert.Equal(ErrorReason.VaultLocked, (await FailsAsync(work, path)).Reason);
    }

    [Fact]
    public async Task Every_changed_bit_and_every_cut_is_damage_or_a_foreign_key_never_a_wrong_secret()
    {
        using var work = new Workplace();
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
}
