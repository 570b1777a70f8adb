using System.Collections;
using System.Management.Automation;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.SecretManagement;

/// <summary>
/// Calls the commands of Microsoft.PowerShell.SecretManagement on the pipeline's thread, by their full names: a
/// function of the same name in the session is not asked for secrets.
/// </summary>
internal sealed class SecretManagementCommands(McpCmdlet cmdlet)
{
    private const string Module = "Microsoft.PowerShell.SecretManagement";

    // It has one runspace for its vaults in a whole process, and fails whoever comes while that is in use. The limit is
    // for a vault that would call us, in that runspace, while we wait for it.
    private static readonly SemaphoreSlim OneAtATime = new(1, 1);

    // Errors are collected, not stopped at: extension vaults report several for one failure, and the last may be the
    // only one that says whether there is such a secret.
    private const string Script = """
        param($mcpsmCommand, $mcpsmParameters)
        $mcpsmProblems = $null
        $mcpsmBefore = $global:Error.Count
        $mcpsmOutput = @()
        try { $mcpsmOutput = @(& $mcpsmCommand @mcpsmParameters -ErrorAction SilentlyContinue -ErrorVariable mcpsmProblems) }
        catch { $mcpsmProblems = @($mcpsmProblems) + $_ }
        # What is expected here, such as a secret that is not there yet, is no error of the user's session.
        while ($global:Error.Count -gt $mcpsmBefore) { $global:Error.RemoveAt(0) }
        @{ Output = $mcpsmOutput; Problems = @($mcpsmProblems | Where-Object { $null -ne $_ }) }
        """;

    /// <summary>Whether the module is loaded or can be.</summary>
    public Task<bool> IsThereAsync(CancellationToken cancellationToken) => cmdlet.Serving.AskAsync(IsThere, cancellationToken);

    /// <summary>Runs one command; what it wrote, and the errors it reported or threw.</summary>
    /// <exception cref="McpAuthException">SecretManagementMissing; VaultUnavailable: it is busy, or the pipeline was stopped.</exception>
    public Task<(IReadOnlyList<object> Output, IReadOnlyList<ErrorRecord> Problems)> RunAsync(string command,
        Dictionary<string, object> parameters, CancellationToken cancellationToken) =>
        cmdlet.Serving.AskAsync(() =>
        {
            if (!IsThere())
            {
                throw new McpAuthException(ErrorReason.SecretManagementMissing,
                    $"The module {Module}, which opens that vault, is not installed.", $"Install-PSResource {Module}");
            }
            if (!OneAtATime.Wait(FileLock.Limit, cancellationToken))
            {
                throw new McpAuthException(ErrorReason.VaultUnavailable,
                    $"SecretManagement has been busy for {FileLock.Limit.TotalSeconds:0} seconds in another runspace of this process.",
                    "Let what it waits for end, then run the command again.");
            }
            try
            {
                var result = (Hashtable)cmdlet.InvokeCommand.InvokeScript(true, ScriptBlock.Create(Script), null,
                    $"{Module}\\{command}", new Hashtable(parameters))[0].BaseObject;
                return (Items<object>(result["Output"]), Items<ErrorRecord>(result["Problems"]));
            }
            catch (PipelineStoppedException e)
            {
                // PowerShell runs nothing more in a pipeline that was stopped. As a failure of the vault it lets a token that was
                // just given be kept elsewhere.
                throw new McpAuthException(ErrorReason.VaultUnavailable, "The pipeline was stopped, and SecretManagement can no longer be used from it.",
                    "Run the command again.", e);
            }
            finally
            {
                OneAtATime.Release();
            }
        }, cancellationToken);

    private bool IsThere() =>
        cmdlet.InvokeCommand.GetCommand($"{Module}\\Get-SecretVault", CommandTypes.Cmdlet | CommandTypes.Function) is not null;

    private static IReadOnlyList<T> Items<T>(object? list) => [.. (LanguagePrimitives.GetEnumerable(list)?.Cast<object?>() ?? [])
        .Select(o => o is PSObject wrapped && typeof(T) != typeof(object) ? wrapped.BaseObject : o)
        .Select(o => o is IContainsErrorRecord failure ? failure.ErrorRecord : o).OfType<T>()];
}
