using System.Diagnostics;
using McpSm.Core.Configuration;
using McpSm.Core.Grants;
using McpSm.Core.Processes;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Processes;

/// <summary>The program that a name refers to, and the environment that it inherits.</summary>
public sealed class ProgramStarterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mcpsm-programs-").FullName;

    public ProgramStarterTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "the programs are shell scripts");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Rule(29)]
    [Fact]
    public void PATH_search_uses_only_absolute_folders()
    {
        var (first, second) = (Folder("first"), Folder("second"));
        var name = "mcpsm-test-" + Guid.NewGuid().ToString("N");
        var (plain, real) = (Plant(first, name, executable: false), Plant(second, name));
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, second);
        foreach (var path in new[] { null, "", ".", ":", "::", "..", relative, $".:{relative}:", $":{relative}", $"~/{name}", first, $"{_folder}/none" })
        {
            Assert.Throws<ProgramNotStartedException>(() => Finder(path).Find(name));
        }
        foreach (var path in new[]
        {
            second, $".:{second}", $":{second}", $"{second}:", $"{relative}:{second}:.", $"{first}:{second}", $"{_folder}/none:{second}",
        })
        {
            Assert.Equal([real], Finder(path).Find(name));
        }
        Assert.NotEqual(plain, real);
    }

    [Fact]
    public void Path_that_is_not_absolute_is_refused()
    {
        var real = Plant(Folder("bin"), "program");
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, real);
        Assert.Equal([real], Finder(null).Find(real));
        foreach (var path in new[] { relative, "./" + relative, "./program", "bin/program", "../program" })
        {
            Assert.Contains("is a relative path", Assert.Throws<ProgramNotStartedException>(() => Finder(Folder("bin")).Find(path)).Message);
        }
        foreach (var path in new[] { _folder, "/nonexistent/program", "", " ", "." })
        {
            Assert.Throws<ProgramNotStartedException>(() => Finder(_folder).Find(path));
        }
    }

    [Fact]
    public async Task Program_that_cannot_start_is_replaced_by_the_next_in_PATH()
    {
        var (broken, whole) = (Folder("broken"), Folder("whole"));
        File.WriteAllText(Plant(broken, "program"), "#!/nonexistent/interpreter\n");
        Plant(whole, "program", "touch \"$(dirname \"$0\")/ran\"");
        using (var process = new ProgramStarter(HomeWith($"{broken}:{whole}")).StartExternal("program", [], _ => { }))
        {
            await process.WaitForExitAsync(Cancellation);
        }
        Assert.True(File.Exists(Path.Combine(whole, "ran")));
        var refused = Assert.Throws<ProgramNotStartedException>(() => new ProgramStarter(HomeWith(broken)).StartExternal("program", [], _ => { }));
        Assert.Contains("could not be started (No such file", refused.Message);
    }

    [Fact]
    public async Task External_program_inherits_no_secret_and_a_trusted_one_inherits_all()
    {
        var program = Plant(Folder("bin"), "program", "env");
        var environment = HomeWith(null);
        // No other test of this process reads these variables.
        var names = new[] { "STARTED_TOKEN", "STARTED_ASSERTION", "STARTED_OTHER", "MCPSM_STARTED" };
        foreach (var name in names)
        {
            Environment.SetEnvironmentVariable(name, "PLANTED-" + name);
        }
        try
        {
            Assert.Equal("PLANTED-STARTED_TOKEN", environment.SecretVariable("STARTED_TOKEN"));
            WorkloadAssertionSource.FromVariable("STARTED_ASSERTION");
            var seen = await EnvironmentAsync((starter, prepare) => starter.StartExternal(program, [], prepare));
            Assert.DoesNotContain("PLANTED", seen.Replace("PLANTED-STARTED_OTHER", ""));
            Assert.Contains("STARTED_OTHER=PLANTED-STARTED_OTHER", seen);
            Assert.Contains("\nPATH=/", "\n" + seen);
            Assert.Contains("PLANTED-MCPSM_STARTED", await EnvironmentAsync((starter, prepare) => starter.StartTrusted(program, [], prepare)));
        }
        finally
        {
            foreach (var name in names)
            {
                Environment.SetEnvironmentVariable(name, null);
            }
        }
    }

    private static async Task<string> EnvironmentAsync(Func<ProgramStarter, Action<ProcessStartInfo>, Process> start)
    {
        using var process = start(new ProgramStarter(HomeWith(null)), info => info.RedirectStandardOutput = true);
        var seen = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return seen;
    }

    private static AppEnvironment HomeWith(string? path) => new(name => name == "PATH" ? path : Environment.GetEnvironmentVariable(name));

    private static ProgramFinder Finder(string? path) => new(HomeWith(path));

    private string Folder(string name) => Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;

    private static string Plant(string folder, string name, string script = "exit 0", bool executable = true)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        if (executable && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        return path;
    }
}
