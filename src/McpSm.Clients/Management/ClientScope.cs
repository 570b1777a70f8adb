namespace McpSm.Clients.Management;

/// <summary>Whose file of a client is meant.</summary>
internal enum ClientScope
{
    /// <summary>The file of the user, for all projects.</summary>
    User,

    /// <summary>The file in a project's folder, which is usually committed.</summary>
    Project,
}
