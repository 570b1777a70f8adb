using System.Runtime.Versioning;
using McpSm.Clients.Files;
using McpSm.Clients.Tests.Support;
using McpSm.Core.Errors;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Clients.Tests.Files;

[UnsupportedOSPlatform("windows")]
public sealed class ClientFileTests : IDisposable
{
    private readonly ClientHome _home = new();

    [Theory]
    [InlineData(0b110_100_100)]
    [InlineData(0b110_110_000)]
    [InlineData(0b110_000_000)]
    [InlineData(0b111_101_101)]
    public async Task Replaced_file_keeps_its_mode(int mode)
    {
        _home.Text = "{}";
        File.SetUnixFileMode(_home.FilePath, (UnixFileMode)mode);
        await _home.AddAsync("a");
        Assert.Equal((UnixFileMode)mode, File.GetUnixFileMode(_home.FilePath));
    }

    [Theory]
    [InlineData(0b111_101_101, 0b110_100_100)]
    [InlineData(0b111_000_000, 0b110_000_000)]
    [InlineData(0b111_111_111, 0b110_100_100)]
    public async Task New_file_and_folder_are_as_readable_as_the_folder_around_them(int folder, int file)
    {
        File.SetUnixFileMode(_home.Folder, (UnixFileMode)folder);
        using var home = new ClientHome("unused");
        var document = home.Document with { Path = Path.Combine(_home.Folder, "sub", "mcp.json") };
        await new McpSm.Clients.Undo.ClientFileEditor(home.Environment).EditAsync(document, [new("a", ClientHome.Entry("a"))], false, Cancellation);
        Assert.Equal((UnixFileMode)file, File.GetUnixFileMode(document.Path));
        Assert.Equal((UnixFileMode)(folder & 0b111_101_101), File.GetUnixFileMode(Path.GetDirectoryName(document.Path)!));
    }

    [Fact]
    public async Task Link_to_a_file_stays_and_its_target_is_edited()
    {
        var dotfiles = Directory.CreateDirectory(Path.Combine(_home.Folder, "dotfiles")).FullName;
        File.WriteAllText(Path.Combine(dotfiles, "real.json"), "{}");
        File.CreateSymbolicLink(Path.Combine(dotfiles, "hop"), "real.json");
        File.CreateSymbolicLink(_home.FilePath, Path.Combine("dotfiles", "hop"));
        await _home.AddAsync("a");
        Assert.NotNull(new FileInfo(_home.FilePath).LinkTarget);
        Assert.Contains("\"a\"", File.ReadAllText(Path.Combine(dotfiles, "real.json")), StringComparison.Ordinal);
        // Through the link or not, it is one file with one record.
        var direct = _home.Document with { Path = Path.Combine(dotfiles, "real.json") };
        await new McpSm.Clients.Undo.ClientFileEditor(_home.Environment).EditAsync(direct, [new("a", null)], false, Cancellation);
        Assert.Equal("{}", _home.Text);
        Assert.Empty(_home.Records);
    }

    [Fact]
    public async Task Link_to_a_folder_or_to_nothing_is_followed()
    {
        Directory.CreateDirectory(Path.Combine(_home.Folder, "real"));
        Directory.CreateSymbolicLink(Path.Combine(_home.Folder, "link"), "real");
        File.CreateSymbolicLink(Path.Combine(_home.Folder, "real", "mcp.json"), "later.json");
        using var home = new ClientHome();
        var document = home.Document with { Path = Path.Combine(_home.Folder, "link", "mcp.json") };
        await new McpSm.Clients.Undo.ClientFileEditor(home.Environment).EditAsync(document, [new("a", ClientHome.Entry("a"))], false, Cancellation);
        Assert.True(File.Exists(Path.Combine(_home.Folder, "real", "later.json")));
    }

    [Fact]
    public async Task Loop_of_links_is_an_error_with_the_path()
    {
        File.CreateSymbolicLink(_home.FilePath, Path.Combine(_home.Folder, "other"));
        File.CreateSymbolicLink(Path.Combine(_home.Folder, "other"), _home.FilePath);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => _home.AddAsync("a"));
        Assert.Equal($"Cannot use '{_home.FilePath}': it leads through too many links.", e.Message);
    }

    [Fact]
    public async Task Link_of_another_user_to_a_file_of_ours_is_refused()
    {
        Require.OrSkip(Environment.IsPrivilegedProcess, "Only root can give a file to another user.");
        File.WriteAllText(Path.Combine(_home.Folder, "ours.json"), "{}");
        File.CreateSymbolicLink(_home.FilePath, Path.Combine(_home.Folder, "ours.json"));
        await RunAsync("chown", "-h", "65534", _home.FilePath);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => _home.AddAsync("a"));
        Assert.Equal(ErrorReason.ConfigurationUnavailable, e.Reason);
        Assert.Contains("belongs to another user", e.Message, StringComparison.Ordinal);
        Assert.Equal("{}", File.ReadAllText(Path.Combine(_home.Folder, "ours.json")));
    }

    [Fact]
    public async Task File_of_a_user_still_belongs_to_that_user_after_an_edit_by_root()
    {
        Require.OrSkip(Environment.IsPrivilegedProcess, "Only root can give a file to another user.");
        _home.Text = "{}";
        await RunAsync("chown", "65534:65533", _home.FilePath);
        File.SetUnixFileMode(_home.FilePath, (UnixFileMode)0b110_100_000);
        await _home.AddAsync("a");
        var status = McpSm.Core.Files.UnixFile.Status(_home.FilePath)!.Value;
        Assert.Equal((65534u, 65533u, (UnixFileMode)0b110_100_000), (status.Owner, status.Group, status.Mode));
    }

    [Fact]
    public async Task Read_only_file_is_refused_and_stays()
    {
        _home.Text = "{}";
        File.SetUnixFileMode(_home.FilePath, (UnixFileMode)0b100_100_100);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => _home.AddAsync("a"));
        Assert.Equal($"Cannot edit '{_home.FilePath}': it is read-only.", e.Message);
        Assert.Equal("{}", _home.Text);
        Assert.Empty(_home.Records);
    }

    [Fact]
    public async Task Folder_in_place_of_the_file_is_an_error()
    {
        Directory.CreateDirectory(_home.FilePath);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => _home.AddAsync("a"));
        Assert.Equal($"Cannot use '{_home.FilePath}': it is a folder, not a file.", e.Message);
    }

    [Fact]
    public void Missing_file_is_read_as_null() => Assert.Null(ClientFile.Read(_home.Document));

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        await process.WaitForExitAsync(Cancellation);
        Assert.Equal(0, process.ExitCode);
    }

    public void Dispose() => _home.Dispose();
}
