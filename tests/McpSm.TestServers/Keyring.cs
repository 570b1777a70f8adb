using System.Diagnostics;
using System.Runtime.InteropServices;
using Xunit;

namespace McpSm.TestServers;

/// <summary>
/// A session bus with gnome-keyring in temporary folders. The keyring of the machine is never used.
/// </summary>
public sealed class Keyring : IAsyncDisposable
{
    private const string Login = "/org/freedesktop/secrets/collection/login";
    private const string Password = "the keyring's password";

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    private readonly string _folder = Directory.CreateTempSubdirectory("mcpsm-keyring-").FullName;
    private Process? _bus;
    private Process? _service;

    private Keyring()
    {
    }

    /// <summary>The environment of a process that uses this bus and nothing else of the desktop.</summary>
    public Dictionary<string, string> Variables { get; } = [];

    /// <summary>The address of the bus.</summary>
    public string Socket => Path.Combine(_folder, "run", "bus");

    /// <summary>Starts a bus with an unlocked keyring.</summary>
    public static async Task<Keyring> StartAsync()
    {
        var keyring = await StartBusAsync();
        try
        {
            await keyring.StartServiceAsync();
            return keyring;
        }
        catch
        {
            await keyring.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a bus without services, on which no service can be activated.</summary>
    public static async Task<Keyring> StartBusAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The Secret Service is Linux's.");
        Require.Programs("dbus-daemon", "dbus-send", "gnome-keyring-daemon", "secret-tool");
        Require.OrSkip(NativeLibrary.TryLoad("libsecret-1.so.0", out _), "libsecret is not on this machine.");
        var keyring = new Keyring();
        await keyring.BeginBusAsync();
        return keyring;
    }

    /// <summary>Starts gnome-keyring.</summary>
    /// <param name="unlocked">Whether to unlock the login keyring, and to create it if it does not exist.</param>
    public async Task StartServiceAsync(bool unlocked = true)
    {
        string[] arguments = ["--foreground", "--components=secrets", .. unlocked ? new[] { "--unlock" } : []];
        _service = Start("gnome-keyring-daemon", arguments);
        await _service.StandardInput.WriteAsync(unlocked ? Password : "");
        _service.StandardInput.Close();
        for (var started = Stopwatch.GetTimestamp(); !await IsReadyAsync(unlocked); await Task.Delay(20))
        {
            if (_service.HasExited || Stopwatch.GetElapsedTime(started) > Longest)
            {
                throw new InvalidOperationException("gnome-keyring-daemon did not start.");
            }
        }
    }

    public async Task StopServiceAsync()
    {
        await EndAsync(_service);
        _service = null;
    }

    public async Task StopBusAsync()
    {
        await EndAsync(_bus);
        _bus = null;
    }

    /// <summary>Locks the login keyring, like a screen saver can.</summary>
    public Task LockAsync() =>
        SendAsync("org.freedesktop.secrets", "/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock", $"array:objpath:{Login}");

    /// <summary>Stops the service process with a signal, so that it hangs.</summary>
    public void FreezeService() => Signal(_service!, "STOP");

    public void ThawService() => Signal(_service!, "CONT");

    public void FreezeBus() => Signal(_bus!, "STOP");

    public void ThawBus() => Signal(_bus!, "CONT");

    /// <summary>Runs secret-tool, the command line of libsecret, and returns its output and errors.</summary>
    public async Task<string> SecretToolAsync(string[] arguments, string input = "")
    {
        using var tool = Start("secret-tool", arguments);
        await tool.StandardInput.WriteAsync(input);
        tool.StandardInput.Close();
        var errors = tool.StandardError.ReadToEndAsync();
        var shown = await tool.StandardOutput.ReadToEndAsync().WaitAsync(Longest) + await errors;
        await tool.WaitForExitAsync();
        return shown;
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync(_service);
        await EndAsync(_bus);
        Directory.Delete(_folder, recursive: true);
    }

    private async Task BeginBusAsync()
    {
        (string Variable, string Folder)[] folders =
            [("HOME", "home"), ("XDG_RUNTIME_DIR", "run"), ("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache")];
        foreach (var (name, folder) in folders)
        {
            Variables[name] = Directory.CreateDirectory(Path.Combine(_folder, folder)).FullName;
        }
        var address = Variables["DBUS_SESSION_BUS_ADDRESS"] = $"unix:path={Socket}";
        var configuration = Path.Combine(_folder, "bus.conf");
        File.WriteAllText(configuration, $"""
            <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
            <busconfig>
              <type>session</type>
              <listen>{address}</listen>
              <auth>EXTERNAL</auth>
              <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
            </busconfig>
            """);
        _bus = Start("dbus-daemon", [$"--config-file={configuration}", "--nofork", "--nopidfile", "--print-address=1"]);
        if (await _bus.StandardOutput.ReadLineAsync().WaitAsync(Longest) is null)
        {
            throw new InvalidOperationException("dbus-daemon did not start: " + await _bus.StandardError.ReadToEndAsync());
        }
        _ = _bus.StandardError.ReadToEndAsync();
    }

    /// <summary>Returns whether the service owns its name and, if it must be unlocked, has its default keyring.</summary>
    private async Task<bool> IsReadyAsync(bool unlocked)
    {
        const string Service = "org.freedesktop.secrets";
        var owner = await SendAsync("org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", $"string:{Service}");
        if (!owner.Contains("boolean true"))
        {
            return false;
        }
        return !unlocked
            || (await SendAsync(Service, "/org/freedesktop/secrets", "org.freedesktop.Secret.Service.ReadAlias", "string:default")).Contains(Login);
    }

    private async Task<string> SendAsync(string to, string path, string method, string argument)
    {
        using var send = Start("dbus-send", ["--session", "--print-reply", $"--dest={to}", path, method, argument]);
        var shown = await send.StandardOutput.ReadToEndAsync().WaitAsync(Longest);
        await send.WaitForExitAsync();
        return shown;
    }

    private Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in new[] { "DISPLAY", "WAYLAND_DISPLAY", "GNOME_KEYRING_CONTROL", "SSH_AUTH_SOCK" })
        {
            start.Environment.Remove(name);
        }
        foreach (var (name, value) in Variables)
        {
            start.Environment[name] = value;
        }
        return Process.Start(start)!;
    }

    private static void Signal(Process process, string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private static async Task EndAsync(Process? process)
    {
        if (process is null)
        {
            return;
        }
        process.Kill();
        await process.WaitForExitAsync().WaitAsync(Longest);
        process.Dispose();
    }
}
