using System.Management.Automation;
using McpSm.Core;

namespace McpSm.PowerShell.Cmdlets.IdentityProviders;

/// <summary>Returns the identity provider that is set, and others with a session, without the network and without opening a vault.</summary>
[Cmdlet(VerbsCommon.Get, "McpIdentityProvider", HelpUri = HelpUris.Folder + "Get-McpIdentityProvider.md")]
[OutputType(typeof(McpIdentityProvider))]
public sealed class GetMcpIdentityProviderCommand : IdentityProviderCmdlet
{
    protected override void ProcessRecord() => RunOnce(_ =>
    {
        foreach (var provider in Authenticator.IdentityProviders.List())
        {
            Write(provider);
        }
        return Task.CompletedTask;
    });
}
