namespace McpSm.PowerShell.Cmdlets;

/// <summary>The addresses that <c>Get-Help -Online</c> opens: the page of the cmdlet in docs/en-US.</summary>
internal static class HelpUris
{
    /// <summary>
    /// The address of the folder docs/en-US. Until the project is published, the host name is a reserved one (RFC 2606 section 2):
    /// a name that another person can register could send users to that person's instructions.
    /// </summary>
    public const string Folder = "https://mcpsm.example/docs/en-US/";
}
