using System.Management.Automation;
using McpSm.Core.Vaults;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Vaults;

/// <summary>Returns the vaults: which one is in use and why, and how each protects secrets.</summary>
[Cmdlet(VerbsCommon.Get, "McpVault", HelpUri = HelpUris.Folder + "Get-McpVault.md")]
[OutputType(typeof(McpVault))]
public sealed class GetMcpVaultCommand : McpCmdlet
{
    /// <summary>Names or wildcards of vaults; by default all vaults.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(VaultCompleter))]
    public string[] Name { get; set; } = ["*"];

    protected override void ProcessRecord() => Run(cancellationToken => TryAsync(null, async () =>
    {
        var all = await Authenticator.Vaults.ListAsync(cancellationToken).ConfigureAwait(false);
        var patterns = Name.Select(n => (Name: n, Pattern: WildcardPattern.Get(n, WildcardOptions.IgnoreCase))).ToList();
        foreach (var vault in all.Where(v => patterns.Any(p => p.Pattern.IsMatch(v.Name))))
        {
            Write(vault);
        }
        foreach (var (name, _) in patterns.Where(p => !WildcardPattern.ContainsWildcardCharacters(p.Name) && !all.Any(v => p.Pattern.IsMatch(v.Name))))
        {
            Report(ErrorRecords.Create(VaultSelector.NotFound(name), name));
        }
    }));
}
