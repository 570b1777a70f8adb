namespace McpSm.PowerShell.Tests.SecretManagement;

/// <summary>The single runspace for vaults that SecretManagement has. A second caller fails while it is in use.</summary>
public static class SingleRunspace
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
