using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Core.Vaults.Windows;
using Xunit;

namespace McpSm.Core.Tests.Vaults;

/// <summary>
/// The vault's own logic over entries in memory that have the limits of Windows and can fail at any call. The program
/// tests/McpSm.CredentialManager.WineTests tests the real calls with the Windows API.
/// </summary>
public sealed class CredentialManagerTests : IDisposable
{
    private static readonly int[] Lengths = [1, 2559, 2560, 9000, 300];

    private readonly TestEnvironment _work = new();
    private readonly MemoryCredentials _set = new();

    private CredentialManagerVault Vault => new(_work.Home, _set);

    private string Prefix => $"Mcpsm:{_work.Home.Owner}:";

    public void Dispose() => _work.Dispose();

    [Fact]
    public async Task Replacement_cut_off_at_any_call_leaves_the_old_or_the_new_text()
    {
        foreach (var (from, to) in Lengths.SelectMany(from => Lengths.Select(to => (new string('a', from), new string('b', to)))))
        {
            for (var calls = 0; ; calls++)
            {
                await Vault.SetAsync("mcpsm-a", from, Cancellation);
                _set.FailAfter(calls);
                var ended = await Record.ExceptionAsync(() => Vault.SetAsync("mcpsm-a", to, Cancellation));
                _set.Recover();
                var now = await Vault.GetAsync("mcpsm-a", Cancellation);
                Assert.True(now == to || (ended is not null && now == from), $"{from.Length} to {to.Length}, cut off after {calls} calls");
                Assert.Single(await Vault.NamesAsync(Cancellation), "mcpsm-a");
                await Vault.SetAsync("mcpsm-b", "x", Cancellation);
                Assert.Equal(1 + Entries(now!.Length), _set.Count);
                if (ended is null && !_set.HasFailed)
                {
                    break;
                }
            }
        }
    }

    [Fact]
    public async Task Removal_cut_off_at_any_call_leaves_the_text_or_nothing()
    {
        foreach (var length in Lengths)
        {
            for (var calls = 0; ; calls++)
            {
                var text = new string('a', length);
                await Vault.SetAsync("mcpsm-a", text, Cancellation);
                _set.FailAfter(calls);
                var ended = await Record.ExceptionAsync(() => Vault.RemoveAsync("mcpsm-a", Cancellation));
                _set.Recover();
                var now = await Vault.GetAsync("mcpsm-a", Cancellation);
                Assert.True(now is null || (ended is not null && now == text));
                await Vault.RemoveAsync("mcpsm-b", Cancellation);
                Assert.Equal(now is null ? 0 : Entries(length), _set.Count);
                if (ended is null)
                {
                    break;
                }
            }
        }
    }

    [Fact]
    public async Task Text_with_a_damaged_part_is_reported_and_can_be_replaced()
    {
        await Vault.SetAsync("mcpsm-b", "other", Cancellation);
        var text = new string('a', 6000);
        foreach (var touch in new Action<string>[] { t => _set.Delete(t), t => _set.Write(t, "x"u8), t => _set.Write(t, [.. _set.Read(t)!.Reverse().Skip(1)]) })
        {
            for (var i = 0; i < Entries(text.Length); i++)
            {
                await Vault.SetAsync("mcpsm-a", text, Cancellation);
                var target = _set.List(Prefix + "mcpsm-a").Select(e => e.Target).Order().ElementAt(i);
                touch(target);
                if (_set.Read(Prefix + "mcpsm-a") is null)
                {
                    // Without its head, the item does not exist.
                    Assert.Null(await Vault.GetAsync("mcpsm-a", Cancellation));
                    Assert.Equal(["mcpsm-b"], await Vault.NamesAsync(Cancellation));
                }
                else
                {
                    var e = await Assert.ThrowsAsync<McpAuthException>(() => Vault.GetAsync("mcpsm-a", Cancellation));
                    Assert.Equal(ErrorReason.VaultCorrupt, e.Reason);
                    Assert.Contains("'mcpsm-a'", e.Message);
                    Assert.Contains($"cmdkey \"/delete:{Prefix}mcpsm-a\"", e.Remedy.InShell());
                }
                Assert.Equal("other", await Vault.GetAsync("mcpsm-b", Cancellation));
            }
        }
        await Vault.SetAsync("mcpsm-a", text, Cancellation);
        Assert.Equal(text, await Vault.GetAsync("mcpsm-a", Cancellation));
        Assert.Equal(1 + Entries(text.Length), _set.Count);
    }

    [Fact]
    public async Task Oversized_text_is_refused_before_anything_is_written()
    {
        await Vault.SetAsync("mcpsm-a", new string('a', ChunkedSecret.MaxBytes), Cancellation);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => Vault.SetAsync("mcpsm-a", new string('é', ChunkedSecret.MaxBytes / 2 + 1), Cancellation));
        Assert.Equal(ErrorReason.SecretTooLarge, e.Reason);
        Assert.Equal(ChunkedSecret.MaxBytes, (await Vault.GetAsync("mcpsm-a", Cancellation))!.Length);
    }

    [Fact]
    public async Task Folder_whose_path_begins_with_another_sees_only_its_own_items()
    {
        using var inner = new TestEnvironment();
        inner.Variables["MCPSM_CONFIG_DIR"] = Path.Combine(_work.Folder, "x");
        var other = new CredentialManagerVault(inner.Home, _set);
        await Vault.SetAsync("mcpsm-a", new string('a', 6000), Cancellation);
        await other.SetAsync("mcpsm-a", new string('b', 6000), Cancellation);
        await other.SetAsync("mcpsm-c", "c", Cancellation);
        Assert.Equal(["mcpsm-a"], await Vault.NamesAsync(Cancellation));
        Assert.True(await Vault.RemoveAsync("mcpsm-a", Cancellation));
        Assert.False(await Vault.RemoveAsync("mcpsm-a", Cancellation));
        Assert.Equal(6000, (await other.GetAsync("mcpsm-a", Cancellation))!.Length);
        Assert.Equal(["mcpsm-a", "mcpsm-c"], (await other.NamesAsync(Cancellation)).Order());
    }

    [Fact]
    public void Folder_with_and_without_final_separator_is_one_owner()
    {
        Assert.Equal(_work.Folder, new AppEnvironment(n => n == "MCPSM_CONFIG_DIR" ? _work.Folder + Path.DirectorySeparatorChar : null).Owner);
        Assert.Equal("default",
            new AppEnvironment(n => n == "HOME" ? _work.Folder : n == "MCPSM_CONFIG_DIR" ? Path.Combine(_work.Folder, ".mcp-manager/") : null).Owner);
    }

    [Fact]
    public async Task Items_that_differ_only_in_case_are_two()
    {
        await Vault.SetAsync("mcpsm-Aa", "upper", Cancellation);
        await Vault.SetAsync("mcpsm-aA", new string('l', 3000), Cancellation);
        Assert.Equal("upper", await Vault.GetAsync("mcpsm-Aa", Cancellation));
        Assert.Equal(["mcpsm-Aa", "mcpsm-aA"], (await Vault.NamesAsync(Cancellation)).Order(StringComparer.Ordinal));
        await Vault.RemoveAsync("mcpsm-Aa", Cancellation);
        Assert.Equal(3000, (await Vault.GetAsync("mcpsm-aA", Cancellation))!.Length);
    }

    [Fact]
    public async Task Reader_beside_writers_sees_only_whole_texts()
    {
        await Vault.SetAsync("mcpsm-a", new string('a', 9000), Cancellation);
        using var stop = new CancellationTokenSource();
        var reads = 0;
        var reading = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                Assert.Single((await Vault.GetAsync("mcpsm-a", default))!.Distinct());
                Interlocked.Increment(ref reads);
            }
        }, Cancellation);
        await Task.WhenAll("bcd".Select(letter => Task.Run(async () =>
        {
            // Until both sides had turns: on one busy processor, the writers could end before the reader begins.
            for (var i = 0; (i < 40 || Volatile.Read(ref reads) < 40) && !reading.IsCompleted; i++)
            {
                await Vault.SetAsync("mcpsm-a", new string(letter, Lengths[i % Lengths.Length] + 3000), default);
            }
        })));
        stop.Cancel();
        await reading;
        await Vault.RemoveAsync("mcpsm-a", Cancellation);
        Assert.Equal(0, _set.Count);
    }

    private static int Entries(int length) => length < ChunkedSecret.EntryBytes ? 1 : 1 + (length + ChunkedSecret.EntryBytes - 1) / ChunkedSecret.EntryBytes;
}
