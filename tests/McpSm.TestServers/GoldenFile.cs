using System.Text;
using Xunit;

namespace McpSm.TestServers;

/// <summary>
/// A file in the format of a released version, in a folder <c>Formats/Golden</c>. Users have such files, and scripts read such output:
/// never edit a golden file to make a renamed C# member pass. Only add new members.
/// </summary>
public sealed class GoldenFile(string project, string name)
{
    private string Path { get; } = System.IO.Path.Combine([Repository.Root, "tests", project, "Formats", "Golden", .. name.Split('/')]);

    public static GoldenFile OfCore(string name) => new("McpSm.Core.Tests", name);

    public static GoldenFile OfCommands(string name) => new("McpSm.Commands.Tests", name);

    public byte[] Bytes => File.ReadAllBytes(Path);

    public string Text => new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Bytes);

    public void CopyTo(string folder) => File.Copy(Path, System.IO.Path.Combine(folder, System.IO.Path.GetFileName(Path)), overwrite: true);

    /// <summary>Asserts that the bytes equal the file, and shows the first difference.</summary>
    public void RequireEqual(ReadOnlySpan<byte> actual) => RequireEqual(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(actual));

    /// <summary>Asserts that the text equals the file, and shows the first difference.</summary>
    public void RequireEqual(string actual)
    {
        Assert.Equal(Text, actual);
    }
}
