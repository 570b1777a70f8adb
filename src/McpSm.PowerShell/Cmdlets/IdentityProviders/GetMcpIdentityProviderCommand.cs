using System.Management.Automation;
using McpSm.Core;

namespace McpSm.PowerShell.Cmdlets.IdentityProviders;

/// <summary>Shows the identity provider that is set, and those that are signed in at, from facts alone.</summary>
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
