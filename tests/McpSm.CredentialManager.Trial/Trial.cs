using System.Runtime.CompilerServices;
using McpSm.Core.Errors;

namespace McpSm.CredentialManager.Trial;

/// <summary>Counts checks and says one line of each. A check has a place of its own, and what it left is removed.</summary>
internal sealed class Trial
{
    public int Passed { get; private set; }

    public int Failed { get; private set; }

    public async Task CheckAsync(string sentence, Func<Place, Task> check)
    {
        using var place = new Place();
        try
        {
            await check(place);
            That(place.Entries().All(e => e.Content.Length <= 2560 && e is { Type: 1, Persist: 2 }), "no entry holds more than 2,560 bytes");
            Passed++;
            Console.WriteLine($"ok      {sentence}");
        }
        catch (Exception e)
        {
            Failed++;
            Console.WriteLine($"FAILED  {sentence}: {e.GetType().Name}: {e.Message}");
        }
    }

    public static void That(bool holds, [CallerArgumentExpression(nameof(holds))] string said = "")
    {
        if (!holds)
        {
            throw new InvalidOperationException($"not so: {said}");
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
        throw new InvalidOperationException($"not so: it fails with {reason}");
    }
}
