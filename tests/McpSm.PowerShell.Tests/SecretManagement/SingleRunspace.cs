namespace McpSm.PowerShell.Tests.SecretManagement;

/// <summary>The runspace of the stand-in, which fails if it is already in use, like that of the real SecretManagement.</summary>
public static class SingleRunspace
{
    private static int s_users;

    public static bool Enter()
    {
        var alone = Interlocked.Increment(ref s_users) == 1;
        Thread.Sleep(30);
        return alone;
    }

    public static void Leave() => Interlocked.Decrement(ref s_users);
}
