namespace McpSm.Core.Configuration;

/// <summary>The environment variables of this process that hold secrets. Foreign programs must not inherit them.</summary>
public static class SecretEnvironmentVariables
{
    // Those of the platforms that a workload runs on.
    private static readonly string[] Ambient = ["IDENTITY_HEADER", "MSI_SECRET", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];

    private static readonly StringComparer Comparer = OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;
    private static readonly Lock Gate = new();
    private static readonly HashSet<string> Named = new(Ambient, Comparer);

    /// <summary>Remembers a variable that the user named as the place of a secret.</summary>
    public static void Add(string name)
    {
        using var _ = Gate.EnterScope();
        Named.Add(name);
    }

    /// <summary>Removes those variables, and everything else that is for Mcpsm alone.</summary>
    public static void RemoveFrom(IDictionary<string, string?> environment)
    {
        using var _ = Gate.EnterScope();
        foreach (var name in environment.Keys.Where(n => n.StartsWith("MCPSM_", StringComparison.OrdinalIgnoreCase) || Named.Contains(n)).ToList())
        {
            environment.Remove(name);
        }
    }
}
