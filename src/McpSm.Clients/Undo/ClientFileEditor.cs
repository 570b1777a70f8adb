using System.Text;
using McpSm.Clients.Files;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;

namespace McpSm.Clients.Undo;

/// <summary>Edits configuration files of clients, and records what it adds, so that a removal restores the bytes.</summary>
internal sealed class ClientFileEditor(AppEnvironment environment)
{
    private const int MaxAttempts = 20;

    /// <summary>Applies edits to a file under its lock. If another program changes the file meanwhile, reads it again and repeats the edits.</summary>
    /// <param name="document">The file.</param>
    /// <param name="edits">The edits. An entry that is already as wanted stays as it is.</param>
    /// <param name="dryRun">Whether to write nothing, and only return the change.</param>
    /// <param name="cancellationToken">Cancels the wait for the lock.</param>
    /// <exception cref="McpAuthException">ConfigurationCorrupt, ConfigurationUnavailable; the file is unchanged.</exception>
    public async Task<ClientFileChange> EditAsync(ClientDocument document, IReadOnlyList<ServerEdit> edits, bool dryRun, CancellationToken cancellationToken)
    {
        var file = ClientFile.Open(document.Path);
        var store = new UndoStore(environment, file.RealPath);
        using var held = dryRun ? null : await store.LockAsync(cancellationToken).ConfigureAwait(false);
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (TryEdit(document, edits, dryRun, (file, store)) is { } change)
            {
                return change;
            }
        }
        throw ClientFileError.Busy(document.Path);
    }

    /// <summary>Returns null if another program has changed the file since it was read.</summary>
    private static ClientFileChange? TryEdit(ClientDocument document, IReadOnlyList<ServerEdit> edits, bool dryRun, (ClientFile Client, UndoStore Store) files)
    {
        var content = files.Client.ReadBytes();
        var before = content is null ? null : ClientFile.Decode(document.Path, content);
        var state = files.Store.Find(content);
        var (after, planned) = ClientFileError.Explain(document.Path, () => EditPlan.Apply(document, before, state, edits));
        var change = new ClientFileChange(document.Path, before, after);
        if (!change.IsChange)
        {
            return change;
        }
        files.Client.RequireWritable();
        if (dryRun)
        {
            return change;
        }
        var written = after is null ? null : Encoding.UTF8.GetBytes(after);
        var next = planned with
        {
            Hash = UndoStore.Hash(written),
            CreatedFolders = content is null ? files.Client.MissingFolders() : planned.CreatedFolders,
        };
        files.Store.Begin(state, next);
        var isDone = written is null ? files.Client.TryRemove(content!, state.CreatedFolders) : files.Client.TryReplace(content, written);
        if (!isDone)
        {
            return null;
        }
        files.Store.End(next);
        return change;
    }
}
