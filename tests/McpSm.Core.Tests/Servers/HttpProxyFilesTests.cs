using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Support;
using Xunit;

namespace McpSm.Core.Tests.Servers;

public sealed class HttpProxyFilesTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TestEnvironment _environment = new();
    private readonly List<string> _warnings = [];

    private HttpProxyFiles Files => new(_environment.Home, "my-api");

    private string PortFile => Path.Combine(_environment.Folder, "http", "my-api.json");

    public void Dispose() => _environment.Dispose();

    [Fact]
    public void Token_is_created_once_and_has_256_random_bits()
    {
        var created = Files.ReadOrCreateBearer(_warnings.Add);

        Assert.Equal(created, Files.ReadOrCreateBearer(_warnings.Add));
        Assert.Equal(created + "\n", File.ReadAllText(Files.BearerPath));
        Assert.Matches("^[A-Za-z0-9_-]{43}$", created);
        Assert.NotEqual(created, new HttpProxyFiles(_environment.Home, "other").ReadOrCreateBearer(_warnings.Add));
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(Files.BearerPath) == OwnerOnly);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void Deleted_token_is_replaced_by_a_new_one()
    {
        var first = Files.ReadOrCreateBearer(_warnings.Add);
        File.Delete(Files.BearerPath);

        Assert.NotEqual(first, Files.ReadOrCreateBearer(_warnings.Add));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("short\n")]
    [InlineData("0123456789012345678901234567890123456789 0\n")]
    [InlineData("0123456789012345678901234567890123456789\r\nX-Header: 1\n")]
    [InlineData("\u00e9123456789012345678901234567890123456789\n")]
    public void File_without_a_token_is_reported_and_kept(string content)
    {
        Files.ReadOrCreateBearer(_warnings.Add);
        File.WriteAllText(Files.BearerPath, content);

        var e = Assert.Throws<McpAuthException>(() => Files.ReadOrCreateBearer(_warnings.Add));

        Assert.Equal(ErrorReason.ConfigurationCorrupt, e.Reason);
        Assert.Equal(content, File.ReadAllText(Files.BearerPath));
    }

    [Fact]
    public void Token_that_other_users_can_read_is_restricted_with_a_warning()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes.");
            return;
        }
        var bearer = Files.ReadOrCreateBearer(_warnings.Add);
        File.SetUnixFileMode(Files.BearerPath, OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead);

        Assert.Equal(bearer, Files.ReadOrCreateBearer(_warnings.Add));

        Assert.Equal(OwnerOnly, File.GetUnixFileMode(Files.BearerPath));
        Assert.Contains("could read", Assert.Single(_warnings));
        Assert.DoesNotContain(bearer, _warnings[0]);
    }

    [Fact]
    public void Folder_in_place_of_the_token_is_an_error()
    {
        Directory.CreateDirectory(Files.BearerPath);

        Assert.Equal(ErrorReason.ConfigurationUnavailable, Assert.Throws<McpAuthException>(() => Files.ReadOrCreateBearer(_warnings.Add)).Reason);
    }

    [Fact]
    public void Port_is_kept_with_unknown_members()
    {
        Assert.Null(Files.ReadPort());
        Files.WritePort(24680);
        File.WriteAllText(PortFile, """{"later":true,"port":24680}""");
        Files.WritePort(24681);

        Assert.Equal(24681, Files.ReadPort());
        Assert.Contains("\"later\": true", File.ReadAllText(PortFile));
    }

    [Theory]
    [InlineData("""{"port":0}""")]
    [InlineData("""{"port":65536}""")]
    [InlineData("""{"port":1.5}""")]
    [InlineData("""{"port":"80"}""")]
    [InlineData("[]")]
    [InlineData("{")]
    public void File_without_a_port_is_reported(string content)
    {
        Files.WritePort(24680);
        File.WriteAllText(PortFile, content);

        Assert.Equal(ErrorReason.ConfigurationCorrupt, Assert.Throws<McpAuthException>(() => Files.ReadPort()).Reason);
    }

    [Fact]
    public void Only_one_process_holds_the_lock_of_a_server()
    {
        using var held = Files.TryLock();

        Assert.NotNull(held);
        Assert.Null(Files.TryLock());
        using var other = new HttpProxyFiles(_environment.Home, HttpProxyFiles.AllServers).TryLock();
        Assert.NotNull(other);
    }

    [Fact]
    public async Task Removed_server_leaves_no_token_for_a_later_one()
    {
        var server = await _environment.AddAsync(new Uri("https://a.example/mcp"));
        var files = new HttpProxyFiles(_environment.Home, server.Id);
        var first = files.ReadOrCreateBearer(_warnings.Add);
        files.WritePort(24680);

        await _environment.Authenticator.Servers.RemoveAsync(server, Cancellation);

        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_environment.Folder, "http")));
        var again = await _environment.AddAsync(new Uri("https://b.example/mcp"));
        Assert.NotEqual(first, new HttpProxyFiles(_environment.Home, again.Id).ReadOrCreateBearer(_warnings.Add));
    }
}
