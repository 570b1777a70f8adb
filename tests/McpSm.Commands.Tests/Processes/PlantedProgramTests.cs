using System.Diagnostics;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Processes;

/// <summary>Tests with planted programs and libraries in the current folder or beside the executable, which must not run.</summary>
public sealed class PlantedProgramTests : IAsyncLifetime
{
    private static readonly string[] Libraries =
    [
        "libsecret-1.so.0", "libglib-2.0.so.0", "libgio-2.0.so.0", "libgobject-2.0.so.0", "libc.so", "libc", "libssl.so.3", "libcrypto.so.3",
        "libSystem.Native.so",
    ];

    private readonly CliProcess _mcpsm = new();
    private readonly string _hostile;
    private readonly string _ran;
    private TestIssuer? _issuer;
    private TestMcpServer? _server;

    public PlantedProgramTests()
    {
        _hostile = Directory.CreateDirectory(Path.Combine(_mcpsm.Folder, "hostile")).FullName;
        _ran = Path.Combine(_mcpsm.Folder, "ran");
        _mcpsm.CurrentFolder = _hostile;
    }

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The programs are shell scripts.");
        foreach (var name in new[] { "xdg-open", "firefox", "wslview", "pwsh", "sh", "env", "true" })
        {
            Plant(_hostile, name);
        }
        _issuer = await TestIssuer.StartAsync();
        _server = await TestMcpServer.StartAsync(_issuer);
        (await _mcpsm.RunAsync($"add my-api --type http --url {_server.McpUrl}")).Done();
    }

    public async ValueTask DisposeAsync()
    {
        await (_server?.DisposeAsync() ?? default);
        await (_issuer?.DisposeAsync() ?? default);
        _mcpsm.Dispose();
    }

    [Rule(29)]
    [Theory]
    [InlineData(null, null)]
    [InlineData(null, ".:EMPTY")]
    [InlineData(null, ":EMPTY")]
    [InlineData(null, "EMPTY:")]
    [InlineData(null, "../hostile:EMPTY")]
    [InlineData(null, ".")]
    [InlineData("firefox", null)]
    [InlineData("firefox", ".:EMPTY")]
    [InlineData("./firefox", "EMPTY")]
    [InlineData("../hostile/firefox %s", ":EMPTY")]
    [InlineData("firefox:xdg-open %s:./pwsh", "EMPTY::.")]
    public async Task Program_in_the_current_folder_never_runs(string? browser, string? path)
    {
        _mcpsm.Variables["BROWSER"] = browser;
        _mcpsm.Variables["WSL_DISTRO_NAME"] = "Debian";
        _mcpsm.Variables["PATH"] = (path ?? "EMPTY").Replace("EMPTY", Directory.CreateDirectory(Path.Combine(_mcpsm.Folder, "empty")).FullName);
        var ended = (await _mcpsm.RunAsync("auth login my-api --callback-port 0")).Done();
        Assert.Contains("Mcpsm could not open a browser: ", ended.Error);
        Assert.Contains("To sign in, visit:", ended.Error);
        Assert.False(File.Exists(_ran));
    }

    [Fact]
    public async Task Program_beside_the_executable_never_runs()
    {
        var folder = CopyOfExecutable();
        Plant(folder, "xdg-open");
        Plant(folder, "firefox");
        foreach (var browser in new[] { null, "firefox" })
        {
            _mcpsm.Variables["BROWSER"] = browser;
            _mcpsm.Variables["PATH"] = Directory.CreateDirectory(Path.Combine(_mcpsm.Folder, "empty")).FullName;
            Assert.Contains("Mcpsm could not open a browser: ", (await _mcpsm.RunAsync("auth login my-api --callback-port 0")).Done().Error);
            Assert.False(File.Exists(_ran));
        }
    }

    [Theory]
    [InlineData("auth token my-api")]
    [InlineData("auth set my-api PLANTED-TOKEN")]
    public async Task Pwsh_in_the_current_folder_gets_no_command(string line)
    {
        File.WriteAllText(Path.Combine(_mcpsm.Folder, "settings.json"), """{"vault":"secretmanagement:Store"}""");
        foreach (var path in new[] { _mcpsm.Folder, $".:{_mcpsm.Folder}", $":{_mcpsm.Folder}", ".", $"{_mcpsm.Folder}:" })
        {
            _mcpsm.Variables["PATH"] = path;
            (await _mcpsm.RunAsync(line)).Failed(1, "pwsh was not found");
            Assert.False(File.Exists(_ran));
        }
    }

    [Rule(29)]
    [Fact]
    public async Task Browser_environment_has_no_secrets_of_Mcpsm()
    {
        var (script, seen) = (Path.Combine(_mcpsm.Folder, "browser.sh"), Path.Combine(_mcpsm.Folder, "environment"));
        File.WriteAllText(script, $"env > '{seen}.new'; mv '{seen}.new' '{seen}'\n");
        _mcpsm.Variables["BROWSER"] = $"/bin/sh '{script}'";
        _mcpsm.Variables["KEPT"] = "kept";
        foreach (var name in new[] { "MCPSM_VAULT_PASSPHRASE", "MCPSM_VAULT_NEW_PASSPHRASE", "MCPSM_CLIENT_SECRET", "MCPSM_OF_LATER_VERSIONS",
            "IDENTITY_HEADER", "MSI_SECRET", "ACTIONS_ID_TOKEN_REQUEST_TOKEN" })
        {
            _mcpsm.Variables[name] = "PLANTED";
        }
        (await _mcpsm.RunAsync("auth login my-api --callback-port 0")).Done();
        var environment = await ReadAsync(seen);
        Assert.Contains("KEPT=kept", environment);
        Assert.Contains("DISPLAY=:0", environment);
        Assert.DoesNotContain("PLANTED", environment);
        Assert.DoesNotContain("MCPSM_", environment.Replace(_mcpsm.Folder, ""));
    }

    [Theory]
    [InlineData(".:/usr/bin::/bin:", "/usr/bin:/bin")]
    [InlineData("../hostile:", null)]
    [InlineData("", null)]
    public async Task Browser_script_gets_a_PATH_without_the_current_folder(string path, string? given)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The test reads /proc.");
        // A shell sets PATH if it is missing, so read the environment from /proc.
        var (script, seen) = (Path.Combine(_mcpsm.Folder, "browser.sh"), Path.Combine(_mcpsm.Folder, "environment"));
        File.WriteAllText(script, $"/bin/cat /proc/$$/environ > '{seen}.new'; /bin/mv '{seen}.new' '{seen}'\n");
        _mcpsm.Variables["BROWSER"] = $"/bin/sh '{script}'";
        _mcpsm.Variables["PATH"] = path;
        (await _mcpsm.RunAsync("auth login my-api --callback-port 0")).Done();
        var environment = (await ReadAsync(seen)).Split('\0');
        Assert.Equal(given is null ? [] : ["PATH=" + given], environment.Where(v => v.StartsWith("PATH=", StringComparison.Ordinal)));
        Assert.False(File.Exists(_ran));
    }

    [Fact]
    public async Task Browser_that_is_a_shell_command_is_refused_and_the_url_printed()
    {
        _mcpsm.Variables["BROWSER"] = $"/bin/sh -c 'touch \"{_ran}\"' %s";
        var ended = (await _mcpsm.RunAsync("auth login my-api --callback-port 0")).Done();
        Assert.Contains("BROWSER was ignored because it runs a command in the shell sh. Set it to the name of the browser or to a script file.", ended.Error);
        Assert.Contains("To sign in, visit:", ended.Error);
        Assert.False(File.Exists(_ran));
    }

    [Fact]
    public async Task Planted_native_library_is_not_loaded()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has the Secret Service.");
        Require.Programs("cc");
        var folder = CopyOfExecutable();
        var source = Path.Combine(_mcpsm.Folder, "planted.c");
        File.WriteAllText(source, """
            #include <stdio.h>
            #include <stdlib.h>
            __attribute__((constructor)) static void loaded(void)
            {
                FILE *file = getenv("PLANTED_RAN") ? fopen(getenv("PLANTED_RAN"), "a") : 0;
                if (file) { fputs("loaded\n", file); fclose(file); }
            }
            """);
        var library = Path.Combine(_mcpsm.Folder, "planted.so");
        using (var compiler = Process.Start("cc", ["-shared", "-fPIC", "-o", library, source]))
        {
            await compiler.WaitForExitAsync(Cancellation);
            Assert.Equal(0, compiler.ExitCode);
        }
        foreach (var name in Libraries)
        {
            File.Copy(library, Path.Combine(_hostile, name));
            // The folder of the copy has files with these names from the build.
            File.Copy(library, Path.Combine(folder, name), overwrite: true);
        }
        _mcpsm.Variables["PLANTED_RAN"] = _ran;
        _mcpsm.Variables["MCPSM_VAULT"] = "secret-service";
        _mcpsm.Variables["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nonexistent";
        Assert.Equal(1, (await _mcpsm.RunAsync(["auth", "set", "my-api", "-"], "a-token")).Code);
        Assert.False(File.Exists(_ran));
        // Proves that the library writes the file if it is loaded.
        _mcpsm.Variables["LD_PRELOAD"] = library;
        await _mcpsm.RunAsync("list");
        Assert.True(File.Exists(_ran));
    }

    /// <summary>Waits for a file of the browser, which can still run after the sign-in, and returns its text.</summary>
    private static async Task<string> ReadAsync(string path)
    {
        for (var waits = Stopwatch.StartNew(); !File.Exists(path) && waits.Elapsed < TimeSpan.FromSeconds(30);)
        {
            await Task.Delay(20);
        }
        return await File.ReadAllTextAsync(path);
    }

    private void Plant(string folder, string name)
    {
        var program = Path.Combine(folder, name);
        File.WriteAllText(program, $"#!/bin/sh\necho \"$0 $*\" >> '{_ran}'\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Copies the executable to a new folder and uses the copy from then on.</summary>
    private string CopyOfExecutable()
    {
        var copy = Directory.CreateDirectory(Path.Combine(_mcpsm.Folder, "executable")).FullName;
        // For the portable build, use its host executable, so that the folder of the process is the folder of the copy.
        var executable = _mcpsm.Executable is [var native] ? native : Path.ChangeExtension(_mcpsm.Executable[^1], null);
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(executable)!))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }
        _mcpsm.Executable = [Path.Combine(copy, Path.GetFileName(executable))];
        _mcpsm.Variables["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", ".."));
        return copy;
    }
}
