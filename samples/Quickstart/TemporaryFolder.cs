namespace McpSm.Samples.Quickstart;

/// <summary>A configuration folder of this run's own, that leaves nothing behind.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("mcpsm-quickstart-").FullName;

    public void Dispose()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
