namespace McpSm.Core.Network;

/// <summary>The scope of an IP address.</summary>
internal enum AddressScope
{
    /// <summary>Reachable from the internet.</summary>
    Public,

    /// <summary>In a private network, or in a tunnel into one.</summary>
    Private,

    /// <summary>On this machine or its link, or the metadata service of its cloud.</summary>
    Machine,
}
