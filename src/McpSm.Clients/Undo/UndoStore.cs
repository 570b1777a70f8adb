using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Clients.Undo;

/// <summary>The record of one configuration file. The caller holds its lock.</summary>
internal sealed class UndoStore(AppEnvironment environment, string realPath)
{
    private readonly string _key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Normalized(realPath))))[..32];

    /// <summary>Takes the lock of the configuration file.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable.</exception>
    public Task<FileLock> LockAsync(CancellationToken cancellationToken) => environment.LockAsync($"client-{_key}", cancellationToken);

    /// <summary>Returns what Mcpsm added to the file with this content.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable.</exception>
    public UndoState Find(byte[]? content)
    {
        var hash = Hash(content);
        var states = Read()?.States ?? [];
        return states.LastOrDefault(s => s.Hash == hash)
            ?? states.Aggregate(states.FirstOrDefault() ?? UndoState.Empty, (one, other) => one.Common(other)) with { Hash = hash };
    }

    /// <summary>Stores the states before and after an edit, so that the record is true wherever the edit ends.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable.</exception>
    public void Begin(UndoState before, UndoState after) => Write([before, after]);

    /// <summary>Stores the state after an edit, or removes the record if there is nothing to undo.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable.</exception>
    public void End(UndoState after)
    {
        if (after.IsEmpty)
        {
            AtomicFile.Remove(File);
        }
        else
        {
            Write([after]);
        }
    }

    private void Write(IReadOnlyList<UndoState> states)
    {
        var record = new UndoRecord { Path = realPath, States = states };
        AtomicFile.Replace(File, JsonSerializer.SerializeToUtf8Bytes(record, UndoJsonContext.Default.UndoRecord));
    }

    public static string Hash(byte[]? content) => content is null ? "" : Convert.ToHexStringLower(SHA256.HashData(content));

    private string File => environment.PathOf(Path.Combine("clients", _key + ".json"));

    private UndoRecord? Read()
    {
        try
        {
            return AtomicFile.Read(File) is { } content ? JsonSerializer.Deserialize(content, UndoJsonContext.Default.UndoRecord) : null;
        }
        catch (JsonException)
        {
            // A damaged record costs only the exact layout: entries are still found by their names.
            return null;
        }
    }

    private static string Normalized(string path) => OperatingSystem.IsWindows() ? path.ToUpperInvariant() : path;
}
