using System.Diagnostics;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Vaults;

/// <summary>Runs the executable as another user and changes the owner of files. Needs root.</summary>
internal static class OtherUser
{
    /// <summary>The id of the other user, who need not exist.</summary>
    public const int Id = 12345;

    /// <summary>Makes the executable run as another user and group.</summary>
    public static async Task BecomeAsync(CliProcess mcpsm, int user = Id, int? group = null)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "Only root can run programs as another user.");
        Require.Programs("setpriv", "chown");
        var program = mcpsm.Executable;
        mcpsm.Executable = ["setpriv", $"--reuid={user}", $"--regid={group ?? user}", "--clear-groups", .. program];
        // Otherwise .NET creates folders in the home of root.
        mcpsm.Variables["DOTNET_CLI_HOME"] = mcpsm.Folder;
        mcpsm.Variables["HOME"] = mcpsm.Folder;
        await GiveAsync(mcpsm.Folder, user, group ?? user);
        var ended = await mcpsm.RunAsync("--version");
        Assert.SkipUnless(ended.Code == 0, $"Another user cannot run the executable here: {ended.Error}");
    }

    /// <summary>Changes the owner and group of a file or folder.</summary>
    public static Task GiveAsync(string path, int user, int group) => RunAsync("chown", $"{user}:{group}", path);

    /// <summary>Returns owner, group and mode, such as <c>1000:1000 600</c>.</summary>
    public static Task<string> OwnerAsync(string path) => RunAsync("stat", "-c", "%u:%g %a", path);

    /// <summary>Runs a program that must exit with 0, and returns its output.</summary>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}");
        return output.Trim();
    }
}
