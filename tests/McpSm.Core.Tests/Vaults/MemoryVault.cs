using System.Collections.Concurrent;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Core.Vaults;

namespace McpSm.Core.Tests.Vaults;

/// <summary>A vault in memory that can fail from any call on, and recover.</summary>
internal sealed class MemoryVault : IVault
{
    private int _calls;

    public ConcurrentDictionary<string, string> Items { get; } = new();

    /// <summary>The number of calls from now on that succeed, or null for no limit.</summary>
    public int? FailsAfter
    {
        get;
        set => (field, _calls) = (value, 0);
    }

    public ErrorReason FailsWith { get; init; } = ErrorReason.VaultUnavailable;

    /// <summary>Whether the vault may answer again, like a hanging service.</summary>
    public bool IsOnlyOutOfReach { get; init; }

    public bool ForgetsWrites { get; set; }

    /// <summary>The greatest length of an item, as in the Windows Credential Manager, or null for no limit.</summary>
    public int? MaxLength { get; init; }

    /// <summary>The number of writes that were refused because of <see cref="MaxLength"/>.</summary>
    public int Refused { get; private set; }

    /// <summary>The items of all writes.</summary>
    public ConcurrentQueue<string> Written { get; } = new();

    public string Name { get; init; } = "memory";

    public string Protection => "None.";

    /// <summary>Returns an authenticator that has these vaults beside those of the system.</summary>
    public static Authenticator CreateAuthenticator(TestEnvironment work, params MemoryVault[] others) =>
        new(work.Home, work.Person, vaults: [.. others.Select(vault => new Provider(vault))]);

    public Task<string?> GetAsync(string item, CancellationToken cancellationToken) => Answer(() => Items.GetValueOrDefault(item));

    public Task SetAsync(string item, string text, CancellationToken cancellationToken)
    {
        if (text.Length > MaxLength)
        {
            Refused++;
            throw new McpAuthException(ErrorReason.SecretTooLarge, "It is too large.");
        }
        Written.Enqueue(item);
        return Answer(() => ForgetsWrites ? "" : Items[item] = text);
    }

    public Task<bool> RemoveAsync(string item, CancellationToken cancellationToken) => Answer(() => Items.TryRemove(item, out _));

    public Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken) => Answer<IReadOnlyList<string>>(() => [.. Items.Keys]);

    private Task<T> Answer<T>(Func<T> answer)
    {
        if (FailsAfter is not { } calls || Interlocked.Increment(ref _calls) <= calls)
        {
            return Task.FromResult(answer());
        }
        var isGone = FailsWith == ErrorReason.VaultUnavailable && !IsOnlyOutOfReach;
        return Task.FromException<T>(new McpAuthException(FailsWith, "The vault failed.") { IsVaultGone = isGone });
    }

    /// <summary>A provider of one vault.</summary>
    /// <param name="vault">The vault.</param>
    public sealed class Provider(MemoryVault vault) : IVaultProvider
    {
        public IVault? Find(string name) => name == vault.Name ? vault : null;

        public Task<IReadOnlyList<IVault>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<IVault>>([vault]);

        public Task<(IVault Vault, string? Notice)?> GetDefaultAsync(CancellationToken cancellationToken) =>
            Task.FromResult<(IVault, string?)?>(null);
    }
}
