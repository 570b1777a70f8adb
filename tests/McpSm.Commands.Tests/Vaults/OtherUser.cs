using System.Diagnostics;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Vaults;

/// <summary>Runs the built executable as another user, and gives files to users. Only root can.</summary>
internal static class OtherUser
{
    /// <summary>No user of that number need exist.</summary>
    public const int Id = 12345;

    /// <summary>From now on the executable runs as that user and group.</summary>
    public static async Task BecomeAsync(CliProcess mcpsm, int user = Id, int? group = null)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "Root alone runs programs as other users.");
        Require.Programs("setpriv", "chown");
        var program = mcpsm.Executable;
        mcpsm.Executable = ["setpriv", $"--reuid={user}", $"--regid={group ?? user}", "--clear-groups", .. program];
        // Else .NET makes folders in the home of root.
        mcpsm.Variables["DOTNET_CLI_HOME"] = mcpsm.Folder;
        mcpsm.Variables["HOME"] = mcpsm.Folder;
        await GiveAsync(mcpsm.Folder, user, group ?? user);
        var ended = await mcpsm.RunAsync("--version");
        Assert.SkipUnless(ended.Code == 0, $"Another user cannot run the executable here: {ended.Error}");
    }

    /// <summary>Gives a file or folder to that user and group.</summary>
    public static Task GiveAsync(string path, int user, int group) => RunAsync("chown", $"{user}:{group}", path);

    /// <summary>Owner, group and mode, such as <c>1000:1000 600</c>.</summary>
    public static Task<string> OwnerAsync(string path) => RunAsync("stat", "-c", "%u:%g %a", path);

    /// <summary>Runs a program that must end well, and gives what it printed.</summary>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}");
        return output.Trim();
    }
}
