using System.Globalization;
using System.Net.Sockets;
using System.Runtime.Versioning;
using McpSm.Core.Configuration;
using McpSm.Core.Files;
using McpSm.Core.Vaults.Linux;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Vaults;

/// <summary>The session bus, if a client of MCP starts us with a bare environment.</summary>
[SupportedOSPlatform("linux")]
public sealed class DBusSessionTests : IDisposable
{
    private readonly string _folders = Directory.CreateTempSubdirectory("mcpsm-run-").FullName;
    private readonly string _folder;
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public DBusSessionTests()
    {
        Require.OrSkip(OperatingSystem.IsLinux(), "a session bus in /run/user, which only Linux has");
        _folder = Path.Combine(_folders, UnixFile.User.ToString(CultureInfo.InvariantCulture));
        Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _socket.Bind(new UnixDomainSocketEndPoint(Bus));
    }

    private string Bus => Path.Combine(_folder, "bus");

    [Fact]
    public void Bus_of_the_login_is_found_without_variables() => Assert.Equal("unix:path=" + Bus, Find());

    [Theory]
    [InlineData("DBUS_SESSION_BUS_ADDRESS", "unix:path=/other", "unix:path=/other")]
    [InlineData("DBUS_SESSION_BUS_ADDRESS", "disabled:", null)]
    [InlineData("XDG_RUNTIME_DIR", "/not/there", null)]
    public void Variable_of_the_user_decides_alone(string name, string value, string? address) =>
        Assert.Equal(address, Find(variable => variable == name ? value : null));

    [Fact]
    public void Runtime_folder_that_others_can_write_to_is_not_used()
    {
        File.SetUnixFileMode(_folder, File.GetUnixFileMode(_folder) | UnixFileMode.OtherWrite);
        Assert.Null(Find());
    }

    [Fact]
    public void Link_in_place_of_the_socket_is_not_followed()
    {
        File.Move(Bus, Bus + "-elsewhere");
        File.CreateSymbolicLink(Bus, Bus + "-elsewhere");
        Assert.Null(Find());
    }

    [Fact]
    public void File_in_place_of_the_socket_is_not_used()
    {
        File.Delete(Bus);
        File.WriteAllText(Bus, "");
        Assert.Null(Find());
    }

    public void Dispose()
    {
        _socket.Dispose();
        Directory.Delete(_folders, recursive: true);
    }

    private string? Find(Func<string, string?>? variables = null) =>
        DBusSession.Address(new AppEnvironment(name => name is "HOME" ? _folders : variables?.Invoke(name)) { RuntimeFolders = _folders });
}
