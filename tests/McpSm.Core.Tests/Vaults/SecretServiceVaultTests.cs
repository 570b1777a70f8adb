using System.Diagnostics;
using System.Runtime.Versioning;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Vaults;
using McpSm.Core.Vaults.Linux;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Vaults;

/// <summary>The vault in this process, with Debian's gnome-keyring on a bus of the test.</summary>
[SupportedOSPlatform("linux")]
[Collection(KeyringCollection.Name)]
public sealed class SecretServiceVaultTests
{
    [Fact]
    public async Task Stored_item_is_replaced_listed_and_removed()
    {
        await using var keyring = await Keyring.StartAsync();
        var vault = Vault(keyring);
        Assert.Null(await vault.GetAsync("mcpsm-a", Cancellation));
        Assert.False(await vault.RemoveAsync("mcpsm-a", Cancellation));
        Assert.Empty(await vault.NamesAsync(Cancellation));
        foreach (var text in new[] { "short", new string('x', 64 * 1024), "", "Grüße \0 🔑\n" })
        {
            await vault.SetAsync("mcpsm-a", text, Cancellation);
            Assert.Equal(text, await vault.GetAsync("mcpsm-a", Cancellation));
        }
        await vault.SetAsync("mcpsmclient-b", "other", Cancellation);
        await Vault(keyring, "/elsewhere").SetAsync("mcpsm-c", "of another folder", Cancellation);
        await keyring.SecretToolAsync(["store", "--label", "Of others", "item", "mcpsm-d", "owner", "default"], "of others");
        Assert.Equal(["mcpsm-a", "mcpsmclient-b"], (await vault.NamesAsync(Cancellation)).Order());
        Assert.Null(await vault.GetAsync("mcpsm-c", Cancellation));
        Assert.Null(await vault.GetAsync("mcpsm-d", Cancellation));
        Assert.True(await vault.RemoveAsync("mcpsm-a", Cancellation));
        Assert.False(await vault.RemoveAsync("mcpsm-a", Cancellation));
        Assert.False(await vault.RemoveAsync("mcpsm-c", Cancellation));
        Assert.Equal(["mcpsmclient-b"], await vault.NamesAsync(Cancellation));
        Assert.Equal(["mcpsm-c"], await Vault(keyring, "/elsewhere").NamesAsync(Cancellation));
    }

    [Fact]
    public async Task Item_in_another_keyring_stays_there()
    {
        await using var keyring = await Keyring.StartAsync();
        var vault = Vault(keyring);
        // This keyring is not the default for new items.
        await keyring.SecretToolAsync(["store", "--collection=session", "--label", "Mcpsm: a", "xdg:schema", "io.github.mcpsm.Credential", "item", "mcpsm-a",
            "owner", "default"], "old");
        Assert.Equal("old", await vault.GetAsync("mcpsm-a", Cancellation));
        await vault.SetAsync("mcpsm-a", "new", Cancellation);
        Assert.Equal("new", await vault.GetAsync("mcpsm-a", Cancellation));
        Assert.Equal(["mcpsm-a"], await vault.NamesAsync(Cancellation));
        Assert.True(await vault.RemoveAsync("mcpsm-a", Cancellation));
        Assert.Null(await vault.GetAsync("mcpsm-a", Cancellation));
    }

    [Fact]
    public async Task Concurrent_callers_use_only_their_own_items()
    {
        await using var keyring = await Keyring.StartAsync();
        var vault = Vault(keyring);
        await RunAsync(8);
        await RunAsync(32);

        Task RunAsync(int many) => Task.WhenAll(Enumerable.Range(0, many).Select(async i =>
        {
            var item = $"mcpsm-{i}";
            for (var round = 0; round < 2; round++)
            {
                await vault.SetAsync(item, $"{item} {round}", default);
                Assert.Equal($"{item} {round}", await vault.GetAsync(item, default));
                Assert.Contains(item, await vault.NamesAsync(default));
                Assert.True(await vault.RemoveAsync(item, default));
                Assert.Null(await vault.GetAsync(item, default));
            }
        }));
    }

    [Fact]
    public async Task Locked_keyring_is_an_error_for_every_call()
    {
        await using var keyring = await Keyring.StartAsync();
        var vault = Vault(keyring);
        await AllAsync();
        await keyring.StopServiceAsync();
        await keyring.StartServiceAsync();
        await vault.SetAsync("mcpsm-a", "kept", Cancellation);
        await AllAsync();
        await keyring.StopServiceAsync();
        await keyring.StartServiceAsync();
        Assert.Equal("kept", await vault.GetAsync("mcpsm-a", Cancellation));
        Assert.Equal(["mcpsm-a"], await vault.NamesAsync(Cancellation));

        async Task AllAsync()
        {
            await keyring.LockAsync();
            foreach (var call in Calls(vault))
            {
                Assert.Equal(ErrorReason.VaultLocked, (await FailsAsync(call)).Reason);
            }
        }
    }

    [Fact]
    public async Task Hanging_service_ends_every_call_within_3_seconds_or_at_cancellation()
    {
        await using var keyring = await Keyring.StartAsync();
        var vault = Vault(keyring);
        await vault.SetAsync("mcpsm-a", "kept", Cancellation);
        keyring.FreezeService();
        await Task.WhenAll(Calls(vault).Select(async call => Assert.Equal(ErrorReason.VaultUnavailable, (await FailsAsync(call)).Reason)));
        using var cancel = new CancellationTokenSource(200);
        var started = Stopwatch.GetTimestamp();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => vault.GetAsync("mcpsm-a", cancel.Token));
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 1);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => vault.SetAsync("mcpsm-a", "never", cancel.Token));
        keyring.ThawService();
        Assert.Equal("kept", await vault.GetAsync("mcpsm-a", Cancellation));
    }

    [Fact]
    public async Task Call_cancelled_while_the_bus_hangs_does_not_cancel_another()
    {
        await using var keyring = await Keyring.StartAsync();
        var vault = Vault(keyring);
        await vault.SetAsync("mcpsm-a", "kept", Cancellation);
        keyring.FreezeBus();
        using var cancel = new CancellationTokenSource();
        var cancelled = vault.GetAsync("mcpsm-a", cancel.Token);
        await Task.Delay(100, Cancellation);
        var other = vault.GetAsync("mcpsm-a", Cancellation);
        await Task.Delay(100, Cancellation);
        cancel.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        await Task.Delay(100, Cancellation);
        keyring.ThawBus();
        Assert.Equal("kept", await other);
    }

    [Fact]
    public async Task Service_or_bus_that_ends_is_an_error_and_its_successor_is_found()
    {
        await using var keyring = await Keyring.StartAsync();
        var vault = Vault(keyring);
        await vault.SetAsync("mcpsm-a", "kept", Cancellation);
        await keyring.StopServiceAsync();
        Assert.Contains("The Secret Service is not running", (await FailsAsync(Calls(vault)[0])).Message);
        await keyring.StartServiceAsync();
        Assert.Equal("kept", await vault.GetAsync("mcpsm-a", Cancellation));
        // During a call: by default, GLib ends the process when its bus goes away.
        keyring.FreezeService();
        var reading = FailsAsync(() => vault.GetAsync("mcpsm-a", default));
        await Task.Delay(300, Cancellation);
        await keyring.StopBusAsync();
        Assert.Equal(ErrorReason.VaultUnavailable, (await reading).Reason);
        Assert.Contains("session bus failed", (await FailsAsync(Calls(vault)[0])).Message);
    }

    private static SecretServiceVault Vault(Keyring keyring, string? folder = null) =>
        new(new AppEnvironment(name => name == "MCPSM_CONFIG_DIR" ? folder : keyring.Variables.GetValueOrDefault(name)));

    private static Func<Task>[] Calls(IVault vault) =>
    [
        () => vault.GetAsync("mcpsm-a", default), () => vault.SetAsync("mcpsm-a", "other", default),
        () => vault.RemoveAsync("mcpsm-a", default), () => vault.NamesAsync(default),
    ];

    /// <summary>Requires that the call fails within 5 seconds, and returns its exception.</summary>
    private static async Task<McpAuthException> FailsAsync(Func<Task> call)
    {
        var started = Stopwatch.GetTimestamp();
        var e = await Assert.ThrowsAsync<McpAuthException>(call);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 5);
        Assert.NotNull(e.Remedy.InShell());
        return e;
    }
}
