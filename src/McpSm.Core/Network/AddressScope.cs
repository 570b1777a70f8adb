namespace McpSm.Core.Network;

/// <summary>How far an IP address reaches.</summary>
internal enum AddressScope
{
    /// <summary>Anywhere on the internet.</summary>
    Public,

    /// <summary>A private network, or a tunnel into one.</summary>
    Private,

    /// <summary>This machine, its link, or the metadata service of its cloud.</summary>
    Machine,
}
