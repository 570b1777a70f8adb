using System.Management.Automation;
using McpSm.Core.Vaults;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets;

/// <summary>Lists vaults: which is in use and why, and how each protects what it keeps.</summary>
[Cmdlet(VerbsCommon.Get, "McpVault")]
[OutputType(typeof(McpVault))]
public sealed class GetMcpVaultCommand : McpCmdlet
{
    /// <summary>Names or wildcards; all vaults where absent.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    public string[] Name { get; set; } = ["*"];

    protected override void ProcessRecord() => Run(cancellationToken => TryAsync(null, async () =>
    {
        var patterns = Name.Select(n => WildcardPattern.Get(n, WildcardOptions.IgnoreCase)).ToList();
        foreach (var vault in await Authenticator.VaultsAsync(cancellationToken).ConfigureAwait(false))
        {
            if (patterns.Any(p => p.IsMatch(vault.Name)))
            {
                Write(vault);
            }
        }
    }));
}

/// <summary>Chooses the vault for what is kept from now on.</summary>
[Cmdlet(VerbsCommon.Set, "McpVault", SupportsShouldProcess = true)]
[OutputType(typeof(McpVault))]
public sealed class SetMcpVaultCommand : McpCmdlet
{
    /// <summary>Its name: <c>file</c>, <c>secretmanagement:NAME</c>, …</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    public string Name { get; set; } = "";

    /// <summary>Emits the vault.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord()
    {
        if (!ShouldProcess(Name, "Keep credentials in this vault"))
        {
            return;
        }
        Run(cancellationToken => TryAsync(null, async () =>
        {
            var elsewhere = await Authenticator.UseVaultAsync(Name, cancellationToken).ConfigureAwait(false);
            if (elsewhere.Count > 0)
            {
                Warn($"The credentials of {string.Join(", ", elsewhere)} stay where they are until the next sign-in.");
            }
            if (PassThru)
            {
                Write((await Authenticator.VaultsAsync(cancellationToken).ConfigureAwait(false)).First(v => v.Name == Name));
            }
        }));
    }
}
