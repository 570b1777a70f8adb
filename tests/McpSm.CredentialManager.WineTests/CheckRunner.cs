using System.Runtime.CompilerServices;
using McpSm.Core.Errors;

namespace McpSm.CredentialManager.WineTests;

/// <summary>Runs checks, each with a new vault, counts them and prints one line for each.</summary>
internal sealed class CheckRunner
{
    public int Passed { get; private set; }

    public int Failed { get; private set; }

    public async Task CheckAsync(string sentence, Func<TestVault, Task> check)
    {
        using var test = new TestVault();
        try
        {
            await check(test);
            That(test.Entries().All(e => e.Content.Length <= 2560 && e is { Type: 1, Persist: 2 }), "no entry holds more than 2,560 bytes");
            Passed++;
            Console.WriteLine($"ok      {sentence}");
        }
        catch (Exception e)
        {
            Failed++;
            Console.WriteLine($"FAILED  {sentence}: {e.GetType().Name}: {e.Message}");
        }
    }

    public static void That(bool holds, [CallerArgumentExpression(nameof(holds))] string condition = "")
    {
        if (!holds)
        {
            throw new InvalidOperationException($"failed: {condition}");
        }
    }

    public static async Task<McpAuthException> FailsAsync(ErrorReason reason, Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (McpAuthException e) when (e.Reason == reason)
        {
            return e;
        }
        throw new InvalidOperationException($"failed: the call fails with {reason}");
    }
}
