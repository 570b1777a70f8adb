namespace McpSm.Clients.Catalog;

/// <summary>What paths of clients depend on. A value of its own, so that tests expand the paths of every system on any machine.</summary>
/// <param name="System">The operating system.</param>
/// <param name="Home">The user's home folder.</param>
/// <param name="GetVariable">Returns an environment variable; null or empty if it is not set.</param>
internal sealed record ClientEnvironment(ClientSystem System, string Home, Func<string, string?> GetVariable)
{
    /// <summary>The separator of folders.</summary>
    public char Separator => System == ClientSystem.Windows ? '\\' : '/';
}
