namespace McpSm.PowerShell.Tests.SecretManagement;

/// <summary>What SecretManagement does to whoever comes while its runspace for vaults is in use: fails.</summary>
public static class SingleRunspaceCollection
{
    private static int _users;

    public static bool Enter()
    {
        var alone = Interlocked.Increment(ref _users) == 1;
        Thread.Sleep(30);
        return alone;
    }

    public static void Leave() => Interlocked.Decrement(ref _users);
}
