namespace McpSm.Core.Configuration;

/// <summary>The environment variables of this process that contain secrets. Third-party programs must not inherit them.</summary>
internal static class SecretEnvironmentVariables
{
    // Variables of the platforms that workloads run on.
    private static readonly string[] Ambient = ["IDENTITY_HEADER", "MSI_SECRET", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];

    private static readonly StringComparer Comparer = OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;
    private static readonly Lock Gate = new();
    private static readonly HashSet<string> Named = new(Ambient, Comparer);

    /// <summary>Adds a variable that the user named as the source of a secret.</summary>
    public static void Add(string name)
    {
        using var _ = Gate.EnterScope();
        Named.Add(name);
    }

    /// <summary>Removes these variables, and all variables that only Mcpsm uses.</summary>
    public static void RemoveFrom(IDictionary<string, string?> environment)
    {
        using var _ = Gate.EnterScope();
        foreach (var name in environment.Keys.Where(n => n.StartsWith("MCPSM_", StringComparison.OrdinalIgnoreCase) || Named.Contains(n)).ToList())
        {
            environment.Remove(name);
        }
    }
}
