using System.Collections;
using System.Management.Automation;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.SecretManagement;

/// <summary>
/// Calls the commands of Microsoft.PowerShell.SecretManagement on the pipeline thread. The module-qualified names prevent that a function
/// of the session with the same name gets the secrets.
/// </summary>
internal sealed class SecretManagementCommands(McpCmdlet cmdlet)
{
    private const string Module = "Microsoft.PowerShell.SecretManagement";

    // SecretManagement has one runspace for vaults in a process, and fails if a second caller needs it. The wait has a limit, because a vault
    // in that runspace might call Mcpsm while Mcpsm waits for it.
    private static readonly SemaphoreSlim OneAtATime = new(1, 1);

    // Collect all errors: extension vaults report several for one failure, and only the last may tell whether the secret exists.
    private const string Script = """
        param($mcpsmCommand, $mcpsmParameters)
        $mcpsmErrors = $null
        $mcpsmErrorCount = $global:Error.Count
        $mcpsmOutput = @()
        try { $mcpsmOutput = @(& $mcpsmCommand @mcpsmParameters -ErrorAction SilentlyContinue -ErrorVariable mcpsmErrors) }
        catch { $mcpsmErrors = @($mcpsmErrors) + $_ }
        # Remove expected errors, such as a secret that does not exist yet, from the session of the user.
        while ($global:Error.Count -gt $mcpsmErrorCount) { $global:Error.RemoveAt(0) }
        @{ Output = $mcpsmOutput; Errors = @($mcpsmErrors | Where-Object { $null -ne $_ }) }
        """;

    /// <summary>Returns whether the module is installed.</summary>
    public Task<bool> IsInstalledAsync(CancellationToken cancellationToken) => cmdlet.Dispatcher.AskAsync(IsInstalled, cancellationToken);

    /// <summary>Runs a command. Returns its output, and the errors that it wrote or threw.</summary>
    /// <exception cref="McpAuthException">
    /// SecretManagementMissing: the module is not installed. VaultUnavailable: SecretManagement is busy, or the pipeline was stopped.
    /// </exception>
    public Task<(IReadOnlyList<object> Output, IReadOnlyList<ErrorRecord> Errors)> RunAsync(string command,
        Dictionary<string, object> parameters, CancellationToken cancellationToken) =>
        cmdlet.Dispatcher.AskAsync(() =>
        {
            if (!IsInstalled())
            {
                throw new McpAuthException(ErrorReason.SecretManagementMissing,
                    $"The vault requires the module {Module}, which is not installed.", $"Install-PSResource {Module}");
            }
            if (!OneAtATime.Wait(FileLock.Limit, cancellationToken))
            {
                throw new McpAuthException(ErrorReason.VaultUnavailable,
                    $"SecretManagement has been busy for {FileLock.Limit.TotalSeconds:0} seconds in another runspace of this process.",
                    "Wait until that runspace has finished, then retry.");
            }
            try
            {
                var result = (Hashtable)cmdlet.InvokeCommand.InvokeScript(true, ScriptBlock.Create(Script), null,
                    $"{Module}\\{command}", new Hashtable(parameters))[0].BaseObject;
                return (Items<object>(result["Output"]), Items<ErrorRecord>(result["Errors"]));
            }
            catch (PipelineStoppedException e)
            {
                // A stopped pipeline runs no more commands. Report it as a failure of the vault, so that a token that was just issued is stored elsewhere.
                throw new McpAuthException(ErrorReason.VaultUnavailable, "The pipeline was stopped, so it can no longer use SecretManagement.",
                    "Run the command again.", e);
            }
            finally
            {
                OneAtATime.Release();
            }
        }, cancellationToken);

    private bool IsInstalled() =>
        cmdlet.InvokeCommand.GetCommand($"{Module}\\Get-SecretVault", CommandTypes.Cmdlet | CommandTypes.Function) is not null;

    private static IReadOnlyList<T> Items<T>(object? list) => [.. (LanguagePrimitives.GetEnumerable(list)?.Cast<object?>() ?? [])
        .Select(o => o is PSObject wrapper && typeof(T) != typeof(object) ? wrapper.BaseObject : o)
        .Select(o => o is IContainsErrorRecord failure ? failure.ErrorRecord : o).OfType<T>()];
}
