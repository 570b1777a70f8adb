using McpSm.Core.Files;

namespace McpSm.Clients.Tests.Support;

/// <summary>Runs a test's code before the steps of one asynchronous flow that write files.</summary>
internal static class FileStep
{
    private static readonly AsyncLocal<Action<AtomicFileStep>?> Action = new();

    static FileStep() => AtomicFile.BeforeStep = step => Action.Value?.Invoke(step);

    public static Action<AtomicFileStep>? Before
    {
        set => Action.Value = value;
    }
}
