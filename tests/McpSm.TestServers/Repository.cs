namespace McpSm.TestServers;

/// <summary>The files of this repository, found from the folder of the test assembly.</summary>
public static class Repository
{
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    private static string Find(DirectoryInfo folder) => File.Exists(Path.Combine(folder.FullName, "Mcpsm.slnx")) ? folder.FullName
        : Find(folder.Parent ?? throw new DirectoryNotFoundException("The program does not run from a folder inside the repository."));
}
