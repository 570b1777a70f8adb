using System.Runtime.InteropServices;

namespace McpSm.TestServers;

/// <summary>
/// A projected service account token in the layout of the kubelet: <c>token</c> is a link to <c>..data/token</c>, and <c>..data</c>
/// is a link that is replaced atomically with a link to a new folder. Only on Unix.
/// </summary>
public sealed class ProjectedToken(string folder)
{
    private int _generation;

    /// <summary>The file that the container sees.</summary>
    public string File { get; } = Path.Combine(folder, "token");

    /// <summary>Replaces the token with the next one.</summary>
    public void Put(string token)
    {
        var (data, old) = (Path.Combine(folder, "..data"), Path.Combine(folder, $"..gen_{_generation}"));
        var name = $"..gen_{++_generation}";
        System.IO.File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, name)).FullName, "token"), token);
        var next = Path.Combine(folder, "..data_tmp");
        System.IO.File.CreateSymbolicLink(next, name);
        // File.Move follows links to folders, and then does not find a file.
        if (Rename(next, data) != 0)
        {
            throw new IOException($"The link could not be replaced: {Marshal.GetLastPInvokeErrorMessage()}");
        }
        if (!Path.Exists(File))
        {
            System.IO.File.CreateSymbolicLink(File, Path.Combine("..data", "token"));
        }
        if (Directory.Exists(old))
        {
            Directory.Delete(old, recursive: true);
        }
    }

    [DllImport("libc", EntryPoint = "rename", SetLastError = true)]
    private static extern int Rename(string from, string to);
}
