using McpSm.Core.Errors;
using McpSm.Core.Vaults.Windows;

namespace McpSm.Core.Tests.Vaults;

/// <summary>The entries of a Windows Credential Manager in memory, with its limits. They can fail from any call on, and recover.</summary>
internal sealed class MemoryCredentials : IWindowsCredentials
{
    private readonly Dictionary<string, byte[]> _entries = new(StringComparer.OrdinalIgnoreCase);
    private readonly Lock _gate = new();
    private int? _callsBeforeFailure;

    /// <summary>Whether a call has failed since <see cref="FailAfter"/>.</summary>
    public bool HasFailed { get; private set; }

    public int Count => _entries.Count;

    /// <summary>The entries in the order of their targets.</summary>
    public IReadOnlyList<(string Target, byte[] Content)> All =>
        [.. _entries.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => (e.Key, e.Value))];

    /// <summary>Lets all calls after the next ones fail.</summary>
    /// <param name="calls">The number of calls that succeed.</param>
    public void FailAfter(int calls) => (_callsBeforeFailure, HasFailed) = (calls, false);

    public void Recover() => _callsBeforeFailure = null;

    public byte[]? Read(string target) => Call(() => _entries.GetValueOrDefault(target));

    public void Write(string target, ReadOnlySpan<byte> content)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, ChunkedSecret.EntryBytes);
        var copy = content.ToArray();
        Call(() => _entries[target] = copy);
    }

    public bool Delete(string target) => Call(() => _entries.Remove(target));

    public IReadOnlyList<(string Target, byte[] Content)> List(string prefix) => Call(() =>
        _entries.Where(e => e.Key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)).Select(e => (e.Key, e.Value)).ToList());

    private T Call<T>(Func<T> action)
    {
        lock (_gate)
        {
            if (_callsBeforeFailure is <= 0)
            {
                HasFailed = true;
                throw new McpAuthException(ErrorReason.VaultUnavailable, "The call failed.");
            }
            _callsBeforeFailure--;
            return action();
        }
    }
}
