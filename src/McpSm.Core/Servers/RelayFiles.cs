using McpSm.Core.Configuration;
using McpSm.Core.Files;

namespace McpSm.Core.Servers;

/// <summary>The files that relays of a server share. They contain no secret.</summary>
internal static class RelayFiles
{
    /// <summary>What the server said of itself in its last session.</summary>
    public static string Session(AppEnvironment environment, string id) => PathOf(environment, id, "session");

    /// <summary>When a relay last opened a browser to sign in.</summary>
    public static string SignIn(AppEnvironment environment, string id) => PathOf(environment, id, "sign-in");

    /// <summary>Removes the files of a server.</summary>
    /// <exception cref="Errors.McpAuthException">ConfigurationUnavailable.</exception>
    public static void Remove(AppEnvironment environment, string id)
    {
        AtomicFile.Remove(Session(environment, id));
        AtomicFile.Remove(SignIn(environment, id));
    }

    private static string PathOf(AppEnvironment environment, string id, string kind) => environment.PathOf(Path.Combine("relay", $"{id}.{kind}.json"));
}
