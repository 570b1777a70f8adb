namespace McpSm.PowerShell.Cmdlets;

/// <summary>Where <c>Get-Help -Online</c> leads: the page of the cmdlet in docs/en-US, as a web server shows it.</summary>
internal static class HelpUris
{
    /// <summary>
    /// The address of the folder docs/en-US. The host name is reserved (RFC 2606, section 2) until the project is published:
    /// a name that another person can register could send users to that person's instructions.
    /// </summary>
    public const string Folder = "https://mcpsm.example/docs/en-US/";
}
