using McpSm.Clients.Catalog;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;

namespace McpSm.Clients.Management;

/// <summary>Finds the clients of this machine and their files.</summary>
/// <param name="environment">The system, the home folder and the variables.</param>
/// <param name="projectFolder">The folder of the project: usually the current folder.</param>
internal sealed class ClientLocator(ClientEnvironment environment, string projectFolder)
{
    public static ClientLocator Create(AppEnvironment environment, string projectFolder)
    {
        var system = OperatingSystem.IsWindows() ? ClientSystem.Windows : OperatingSystem.IsMacOS() ? ClientSystem.MacOS : ClientSystem.Linux;
        return new ClientLocator(new ClientEnvironment(system, environment.HomeFolder, environment.Variable), projectFolder);
    }

    /// <summary>Returns the client with this id.</summary>
    /// <exception cref="McpAuthException">InvalidValue: the id is unknown.</exception>
    public static ClientDefinition Get(string id) => ClientCatalog.Find(id) ?? throw new McpAuthException(ErrorReason.InvalidValue,
        $"The client '{UntrustedText.Sanitize(id)}' is unknown. Known clients: {string.Join(", ", ClientCatalog.Clients.Select(client => client.Id))}.");

    /// <summary>Whether a client is installed, as far as its folders tell.</summary>
    public bool IsInstalled(ClientDefinition client) =>
        (client.Signs?.Expand(environment) ?? client.User.Expand(environment).Select(path => Path.GetDirectoryName(path)!)).Any(Path.Exists);

    /// <summary>Returns the file of a client; null if the client has none in this scope, or on this system.</summary>
    public ClientLocation? Find(ClientDefinition client, ClientScope scope)
    {
        var paths = scope == ClientScope.User ? client.User.Expand(environment) : [.. client.Project.Select(path => Path.Combine(projectFolder, path))];
        return paths.Count == 0 ? null : new ClientLocation(client, scope, Path.GetFullPath(paths.FirstOrDefault(File.Exists) ?? paths[0]));
    }

    /// <summary>Returns the file of a client.</summary>
    /// <exception cref="McpAuthException">InvalidValue: the client has none in this scope, or on this system.</exception>
    public ClientLocation Get(ClientDefinition client, ClientScope scope) => Find(client, scope) ?? throw new McpAuthException(ErrorReason.InvalidValue,
        scope == ClientScope.Project ? $"{client.Title} has no configuration file in a project." : $"{client.Title} does not run on this system.");
}
