using System.Management.Automation;
using McpSm.Core.Management;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

/// <summary>Lists servers that have a credential, and secrets.</summary>
[Cmdlet(VerbsCommon.Get, "ServedSecretInfo")]
[OutputType(typeof(SecretInfo))]
public sealed class GetVaultSecretInfoCommand : ExtensionVaultCmdlet
{
    [Parameter]
    public string? Filter { get; set; }

    protected override void ProcessRecord() => Serve(null, async (vault, cancellationToken) =>
    {
        var pattern = WildcardPattern.Get(string.IsNullOrEmpty(Filter) ? "*" : Filter, WildcardOptions.IgnoreCase);
        var servers = Authenticator.Secrets.ListServers(pattern.IsMatch);
        Write(servers);
        // A name of one server is that of no secret: its vault need not be opened to look.
        if (servers.Count == 1 && !WildcardPattern.ContainsWildcardCharacters(Filter))
        {
            return;
        }
        Write(await Authenticator.Secrets.ListSecretsAsync(pattern.IsMatch, vault, cancellationToken).ConfigureAwait(false));
    });

    // The servers are listed although the vault of the secrets is locked: whatever ended SecretManagement's script
    // would take them away again.
    private protected override void Report(ErrorRecord error) => Dispatcher.Post(() => WriteError(error));

    private void Write(IReadOnlyList<SecretInfo> secrets)
    {
        foreach (var secret in secrets)
        {
            Write((object)secret);
        }
    }
}
