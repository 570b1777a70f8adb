using McpSm.Core;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.IdentityProviders;

/// <summary>The base of the cmdlets for the identity provider of the organisation, which is the same for all servers (rule 34 of docs/rules.md).</summary>
public abstract class IdentityProviderCmdlet : McpCmdlet
{
    /// <summary>Runs work whose failure is one error record.</summary>
    private protected void RunOnce(Func<CancellationToken, Task> work) => Run(cancellationToken => TryAsync(null, () => work(cancellationToken)));

    /// <summary>Writes the status of a provider; nothing if it is neither set nor signed in.</summary>
    private protected void WriteProvider(string issuer)
    {
        foreach (var provider in Authenticator.IdentityProviders.List().Where(p => p.Issuer == issuer))
        {
            Write(provider);
        }
    }
}
