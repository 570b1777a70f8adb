using System.Management.Automation;
using McpSm.Core.Management;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

/// <summary>Returns the servers that have a credential, and the secrets of other tools.</summary>
[Cmdlet(VerbsCommon.Get, "McpsmVaultSecretInfo")]
[OutputType(typeof(SecretInfo))]
public sealed class GetMcpsmVaultSecretInfoCommand : ExtensionVaultCmdlet
{
    [Parameter]
    public string? Filter { get; set; }

    protected override void ProcessRecord() => RunInVault(null, async (vault, cancellationToken) =>
    {
        var pattern = WildcardPattern.Get(string.IsNullOrEmpty(Filter) ? "*" : Filter, WildcardOptions.IgnoreCase);
        var servers = Authenticator.Secrets.ListServers(pattern.IsMatch);
        Write(servers);
        // A secret cannot have the name of a server, so the vault need not be opened to look for one.
        if (servers.Count == 1 && !WildcardPattern.ContainsWildcardCharacters(Filter))
        {
            return;
        }
        Write(await Authenticator.Secrets.ListSecretsAsync(pattern.IsMatch, vault, cancellationToken).ConfigureAwait(false));
    });

    // A terminating error would end SecretManagement's script and discard the servers, which can be listed although the vault is locked.
    private protected override void Report(ErrorRecord error) => Dispatcher.Post(() => WriteError(error));

    private void Write(IReadOnlyList<SecretInfo> secrets)
    {
        foreach (var secret in secrets)
        {
            Write(secret);
        }
    }
}
