namespace McpSm.PowerShell.Cmdlets;

/// <summary>
/// Where <c>Get-Help -Online</c> leads: to what a cmdlet is about, as the protocol's own pages tell it, for as long as the
/// project has no public home for pages of its own.
/// </summary>
internal static class HelpPages
{
    private const string Specification = "https://modelcontextprotocol.io/specification/2026-07-28/basic/";

    public const string Servers = Specification + "transports";
    public const string Authorization = Specification + "authorization";
    public const string IdentityProviders = "https://modelcontextprotocol.io/extensions/auth/enterprise-managed-authorization";
    public const string Vaults = "https://learn.microsoft.com/powershell/utility-modules/secretmanagement/overview";
}
