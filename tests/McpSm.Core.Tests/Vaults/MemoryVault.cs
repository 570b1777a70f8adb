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
    public int? DiesAfter
    {
        get;
        set => (field, _calls) = (value, 0);
    }

    public ErrorReason DiesOf { get; init; } = ErrorReason.VaultUnavailable;

    /// <summary>Whether the vault may answer again, like a hanging service.</summary>
    public bool IsOnlyOutOfReach { get; init; }

    public bool Forgets { get; set; }

    public string Name { get; init; } = "memory";

    public string Protection => "None.";

    /// <summary>Returns an authenticator that has this vault among its vaults.</summary>
    public static Authenticator Door(TestEnvironment work, MemoryVault other) => new(work.Home, work.Person, vaults: [new Source(other)]);

    public Task<string?> GetAsync(string item, CancellationToken cancellationToken) => Answer(() => Items.GetValueOrDefault(item));

    public Task SetAsync(string item, string text, CancellationToken cancellationToken) => Answer(() => Forgets ? "" : Items[item] = text);

    public Task<bool> RemoveAsync(string item, CancellationToken cancellationToken) => Answer(() => Items.TryRemove(item, out _));

    public Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken) => Answer<IReadOnlyList<string>>(() => [.. Items.Keys]);

    private Task<T> Answer<T>(Func<T> answer) => DiesAfter is { } most && Interlocked.Increment(ref _calls) > most
        ? Task.FromException<T>(new McpAuthException(DiesOf, "It died.") { IsVaultGone = DiesOf == ErrorReason.VaultUnavailable && !IsOnlyOutOfReach }) : Task.FromResult(answer());

    private sealed class Source(MemoryVault vault) : IVaultProvider
    {
        public IVault? Find(string name) => name == vault.Name ? vault : null;

        public Task<IReadOnlyList<IVault>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<IVault>>([vault]);

        public Task<(IVault Vault, string? Notice)?> GetDefaultAsync(CancellationToken cancellationToken) =>
            Task.FromResult<(IVault, string?)?>(null);
    }
}
