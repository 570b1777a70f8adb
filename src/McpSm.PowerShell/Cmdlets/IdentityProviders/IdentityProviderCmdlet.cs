using McpSm.Core;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.IdentityProviders;

/// <summary>What is about the identity provider of the organisation (rule 34 of docs/rules.md), of which one is set for all servers.</summary>
public abstract class IdentityProviderCmdlet : McpCmdlet
{
    /// <summary>Work whose failure is one error, whoever it is about.</summary>
    private protected void RunOnce(Func<CancellationToken, Task> work) => Run(cancellationToken => TryAsync(null, () => work(cancellationToken)));

    /// <summary>Emits how things stand with a provider; nothing where there is nothing of it any more.</summary>
    private protected void WriteProvider(string issuer)
    {
        foreach (var provider in Authenticator.IdentityProviders.List().Where(p => p.Issuer == issuer))
        {
            Write(provider);
        }
    }
}
