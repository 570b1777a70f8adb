using System.Diagnostics;
using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Vaults;

/// <summary>Tests of the executable with gnome-keyring on a separate bus.</summary>
public sealed class SecretServiceTests
{
    [Fact]
    public async Task Secret_is_an_item_with_a_readable_label()
    {
        await using var keyring = await Keyring.StartAsync();
        using var mcpsm = await KeptAsync(keyring, "token-one");
        Assert.Contains("* secret-service (in use: it is set in settings.json)", (await mcpsm.RunAsync("vault")).Done().Out);
        var found = await keyring.SecretToolAsync(["search", "owner", mcpsm.Folder]);
        Assert.Contains("label = Mcpsm: my-api\n", found);
        Assert.Contains("schema = io.github.mcpsm.Credential\n", found);
        (await mcpsm.RunAsync("auth set my-api token-two")).Done();
        Assert.Equal("token-two", await TokenAsync(mcpsm));
        var kept = JsonNode.Parse(await keyring.SecretToolAsync(["lookup", "item", "mcpsm-my-api", "owner", mcpsm.Folder]))!;
        Assert.Equal("token-two", (string?)kept["bearerToken"]);
        // One item: the old one was replaced, and the self-test of the vault left none.
        Assert.Single((await keyring.SecretToolAsync(["search", "--all", "owner", mcpsm.Folder])).Split("label = ")[1..]);
        (await mcpsm.RunAsync("auth revoke my-api")).Done();
        Assert.DoesNotContain("label = ", await keyring.SecretToolAsync(["search", "--all", "owner", mcpsm.Folder]));
        (await mcpsm.RunAsync("auth token my-api")).Failed(4, "You are not signed in to 'my-api'.");
    }

    [Fact]
    public async Task Client_registration_is_a_separate_item()
    {
        await using var keyring = await Keyring.StartAsync();
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = On(keyring);
        (await mcpsm.RunAsync($"add my-api --type http --url {server.McpUrl}")).Done();
        (await mcpsm.RunAsync("auth login my-api --no-browser --callback-port 0")).Done();
        (await mcpsm.RunAsync("auth refresh my-api")).Done();
        var found = await keyring.SecretToolAsync(["search", "--all", "owner", mcpsm.Folder]);
        Assert.Matches("label = Mcpsm: client registration [0-9a-f]{16}\n", found);
        Assert.Equal(2, found.Split("label = ").Length - 1);
        Assert.True(issuer.Server.Introspect(await TokenAsync(mcpsm))?.Active);
    }

    [Fact]
    public async Task Secret_of_64_KiB_is_stored_and_read()
    {
        await using var keyring = await Keyring.StartAsync();
        using var mcpsm = await KeptAsync(keyring, new string('x', 64 * 1024));
        Assert.Equal(new string('x', 64 * 1024), await TokenAsync(mcpsm));
    }

    [Fact]
    public async Task Locked_keyring_is_an_error_and_not_an_empty_vault()
    {
        await using var keyring = await Keyring.StartAsync();
        using var mcpsm = await KeptAsync(keyring, "a-token");
        await keyring.LockAsync();
        var facts = File.ReadAllText(Path.Combine(mcpsm.Folder, "credentials.json"));
        string[] lines = ["auth token my-api", "auth set my-api another", "auth revoke my-api", "vault use secret-service", "vault use file --move"];
        foreach (var line in lines)
        {
            (await SoonAsync(mcpsm, line)).Failed(1, "The keyring of the Secret Service is locked.", "gnome-keyring-daemon --replace --unlock");
        }
        // Another server is an error too: the locked keyring could have its item.
        (await mcpsm.RunAsync("add other --type http --url https://b.example/mcp")).Done();
        (await SoonAsync(mcpsm, "auth token other")).Failed(1, "The keyring of the Secret Service is locked.");
        Assert.Equal(facts, File.ReadAllText(Path.Combine(mcpsm.Folder, "credentials.json")));
        Assert.Contains("✔ Bearer token set", (await mcpsm.RunAsync("auth status my-api")).Done().Out);
        await keyring.StopServiceAsync();
        await keyring.StartServiceAsync();
        Assert.Equal("a-token", await TokenAsync(mcpsm));
        // The same for a keyring that was never unlocked.
        await keyring.StopServiceAsync();
        await keyring.StartServiceAsync(unlocked: false);
        (await SoonAsync(mcpsm, "auth token my-api")).Failed(1, "The keyring of the Secret Service is locked.");
    }

    [Fact]
    public async Task Item_deleted_by_another_program_is_noticed_by_the_next_token()
    {
        await using var keyring = await Keyring.StartAsync();
        using var mcpsm = await KeptAsync(keyring, "a-token");
        await keyring.SecretToolAsync(["clear", "item", "mcpsm-my-api"]);
        Assert.Contains("✔ Bearer token set", (await mcpsm.RunAsync("auth status my-api")).Done().Out);
        (await mcpsm.RunAsync("auth token my-api")).Failed(4, "You are not signed in to 'my-api'.");
        Assert.Contains("✘ Not authenticated", (await mcpsm.RunAsync("auth status my-api")).Out);
    }

    [Fact]
    public async Task Missing_session_bus_is_an_error_at_once_and_no_bus_is_started()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("Only Linux has the Secret Service.");
            return;
        }
        using var mcpsm = new CliProcess { Variables = { ["MCPSM_VAULT"] = "secret-service" } };
        var bin = Directory.CreateDirectory(Path.Combine(mcpsm.Folder, "bin")).FullName;
        // The program that GLib runs to start a bus.
        File.WriteAllText(Path.Combine(bin, "dbus-launch"), $"#!/bin/sh\ntouch {bin}/launched\n");
        File.SetUnixFileMode(Path.Combine(bin, "dbus-launch"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        mcpsm.Variables["PATH"] = bin + ":" + Environment.GetEnvironmentVariable("PATH");
        (await mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp")).Done();
        (string Name, string Value)[] unreachable =
            [("XDG_RUNTIME_DIR", bin), ("DBUS_SESSION_BUS_ADDRESS", "autolaunch:"), ("DBUS_SESSION_BUS_ADDRESS", "disabled:")];
        foreach (var (name, value) in unreachable)
        {
            mcpsm.Variables[name] = value;
            (await SoonAsync(mcpsm, "auth set my-api a-token")).Failed(1, "The Secret Service is not reachable", "mcpsm vault use file");
            Assert.Contains("* secret-service (in use: MCPSM_VAULT names it)\n    The keyring of a desktop is not reachable",
                (await mcpsm.RunAsync("vault")).Done().Out);
        }
        mcpsm.Variables["DBUS_SESSION_BUS_ADDRESS"] = $"unix:path={bin}/missing";
        (await SoonAsync(mcpsm, "auth set my-api a-token")).Failed(1, "The Secret Service is not reachable", "session bus failed", "mcpsm vault use file");
        Assert.False(File.Exists(Path.Combine(bin, "launched")));
    }

    [Fact]
    public async Task Default_vault_is_the_Secret_Service_if_it_works_else_the_file()
    {
        await using var keyring = await Keyring.StartBusAsync();
        using (var without = On(keyring))
        {
            await SetAsync(without, "a-token");
            Assert.Contains("* file ", (await without.RunAsync("vault")).Done().Out);
        }
        await keyring.StartServiceAsync();
        using (var with = await KeptAsync(keyring, "a-token"))
        {
            Assert.Contains("* secret-service ", (await with.RunAsync("vault")).Done().Out);
        }
        await keyring.LockAsync();
        using var locked = On(keyring);
        Assert.Contains("To use it later: mcpsm vault use secret-service --move", (await SetAsync(locked, "a-token")).Error);
        Assert.Contains("* file ", (await locked.RunAsync("vault")).Done().Out);
    }

    [Fact]
    public async Task Session_bus_without_a_variable_is_found_at_its_usual_path()
    {
        await using var keyring = await Keyring.StartAsync();
        using var mcpsm = On(keyring);
        mcpsm.Variables.Remove("DBUS_SESSION_BUS_ADDRESS");
        await SetAsync(mcpsm, "a-token");
        Assert.Contains("a-token", await keyring.SecretToolAsync(["lookup", "owner", mcpsm.Folder]));
        Assert.Equal("a-token", await TokenAsync(mcpsm));
    }

    [Fact]
    public async Task Missing_service_or_default_keyring_is_one_error()
    {
        await using var keyring = await Keyring.StartBusAsync();
        using var mcpsm = On(keyring, "secret-service");
        (await mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp")).Done();
        (await SoonAsync(mcpsm, "auth set my-api a-token"))
            .Failed(1, "The Secret Service is not running on the D-Bus session bus.", "gnome-keyring", "mcpsm vault use file");
        await keyring.StartServiceAsync(unlocked: false);
        foreach (var line in new[] { "auth set my-api a-token", "auth token my-api", "vault use secret-service" })
        {
            (await SoonAsync(mcpsm, line)).Failed(1, "The Secret Service does not have a default keyring", "seahorse", "mcpsm vault use file");
        }
    }

    [Fact]
    public async Task Missing_libsecret_says_what_to_install()
    {
        await using var keyring = await Keyring.StartAsync();
        using var mcpsm = On(keyring, "secret-service");
        (await mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp")).Done();
        // The loader finds this file first and cannot load it.
        File.WriteAllText(Path.Combine(mcpsm.Folder, "libsecret-1.so.0"), "not a library");
        mcpsm.Variables["LD_LIBRARY_PATH"] = mcpsm.Folder;
        (await mcpsm.RunAsync("auth set my-api a-token")).Failed(1, "libsecret, which is not installed", "apt install libsecret-1-0");
        mcpsm.Variables.Remove("MCPSM_VAULT");
        await SetAsync(mcpsm, "a-token");
        Assert.Contains("* file ", (await mcpsm.RunAsync("vault")).Done().Out);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Hanging_service_or_bus_times_out_after_3_seconds(bool isBus)
    {
        await using var keyring = await Keyring.StartAsync();
        using var mcpsm = await KeptAsync(keyring, "a-token");
        (isBus ? keyring.FreezeBus : (Action)keyring.FreezeService)();
        foreach (var line in new[] { "auth token my-api", "auth set my-api another", "vault use file --move" })
        {
            (await SoonAsync(mcpsm, line)).Failed(1, "The Secret Service did not respond within 3 seconds.", "mcpsm vault use file");
        }
        var started = Stopwatch.GetTimestamp();
        Assert.Equal(130, (await InterruptedAsync(mcpsm, "auth token my-api")).Code);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 2.5);
        (isBus ? keyring.ThawBus : (Action)keyring.ThawService)();
        // The commands that timed out have changed nothing.
        Assert.Equal("a-token", await TokenAsync(mcpsm));
    }

    [Fact]
    public async Task Items_of_two_folders_are_separate()
    {
        await using var keyring = await Keyring.StartAsync();
        using var one = await KeptAsync(keyring, "token-one");
        using var two = await KeptAsync(keyring, "token-two");
        Assert.Equal("token-one", await TokenAsync(one));
        (await two.RunAsync("vault use file --move")).Done();
        (await two.RunAsync("auth revoke my-api")).Done();
        Assert.Equal("token-one", await TokenAsync(one));
    }

    [Fact]
    public async Task Move_there_and_back_moves_only_items_of_Mcpsm()
    {
        await using var keyring = await Keyring.StartAsync();
        using var mcpsm = On(keyring, null);
        await keyring.SecretToolAsync(["store", "--label", "Of others", "item", "mcpsm-my-api", "owner", mcpsm.Folder], "theirs");
        foreach (var name in new[] { "one", "two", "three" })
        {
            (await mcpsm.RunAsync($"add {name} --type http --url https://a.example/mcp")).Done();
            (await mcpsm.RunAsync($"auth set {name} token-{name} --vault file")).Done();
        }
        foreach (var vault in new[] { "secret-service", "file", "secret-service" })
        {
            Assert.Contains("Moved 3 items to ", (await mcpsm.RunAsync($"vault use {vault} --move")).Done().Out);
            var found = await keyring.SecretToolAsync(["search", "--all", "xdg:schema", "io.github.mcpsm.Credential"]);
            Assert.Equal(vault == "file" ? 0 : 3, found.Split("label = Mcpsm: ").Length - 1);
            foreach (var name in new[] { "one", "two", "three" })
            {
                Assert.Equal("token-" + name, await TokenAsync(mcpsm, name));
            }
        }
        Assert.Equal("theirs", await keyring.SecretToolAsync(["lookup", "item", "mcpsm-my-api"]));
    }

    [Fact]
    public async Task Eight_concurrent_processes_lose_nothing()
    {
        await using var keyring = await Keyring.StartAsync();
        using var mcpsm = On(keyring, "secret-service");
        var names = Enumerable.Range(0, 8).Select(i => $"server-{i}").ToList();
        foreach (var name in names)
        {
            (await mcpsm.RunAsync($"add {name} --type http --url https://a.example/mcp")).Done();
        }
        foreach (var round in new[] { "first", "second" })
        {
            await Task.WhenAll(names.Select(async name => (await mcpsm.RunAsync($"auth set {name} {round}-{name}")).Done()));
            foreach (var name in names)
            {
                Assert.Equal($"{round}-{name}", await TokenAsync(mcpsm, name));
            }
        }
        Assert.Equal(8, (await keyring.SecretToolAsync(["search", "--all", "owner", mcpsm.Folder])).Split("label = Mcpsm: server-").Length - 1);
    }

    [Fact]
    public async Task Libsecret_is_loaded_only_if_it_is_used()
    {
        await using var keyring = await Keyring.StartAsync();
        using var mcpsm = await KeptAsync(keyring, "a-token");
        mcpsm.Variables["LD_DEBUG"] = "files";
        Assert.Contains("libsecret-1", (await mcpsm.RunAsync("auth token my-api")).Done().Error);
        Assert.DoesNotMatch("libsecret-1|libgio|libglib", (await mcpsm.RunAsync("auth status")).Done().Error);
        Assert.DoesNotMatch("libsecret-1|libgio|libglib", (await mcpsm.RunAsync("vault list")).Done().Error);
        (await mcpsm.RunAsync("vault use file --move")).Done();
        Assert.DoesNotMatch("libsecret-1|libgio|libglib", (await mcpsm.RunAsync("auth token my-api")).Done().Error);
    }

    private static CliProcess On(Keyring keyring, string? vault = null)
    {
        var mcpsm = new CliProcess { Variables = { ["MCPSM_VAULT"] = vault } };
        foreach (var (name, value) in keyring.Variables)
        {
            mcpsm.Variables[name] = value;
        }
        return mcpsm;
    }

    private static async Task<CliProcess> KeptAsync(Keyring keyring, string token)
    {
        var mcpsm = On(keyring);
        await SetAsync(mcpsm, token);
        return mcpsm;
    }

    private static async Task<CliResult> SetAsync(CliProcess mcpsm, string token)
    {
        await mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp");
        return (await mcpsm.RunAsync("auth set my-api -", token)).Done();
    }

    private static async Task<string> TokenAsync(CliProcess mcpsm, string name = "my-api") =>
        (await mcpsm.RunAsync($"auth token {name}")).Done().Out.TrimEnd('\n');

    /// <summary>Runs a command and asserts that it ended within 5 seconds: 3 for the service, the rest for starting on a slow machine.</summary>
    private static async Task<CliResult> SoonAsync(CliProcess mcpsm, string line)
    {
        var started = Stopwatch.GetTimestamp();
        var ended = await mcpsm.RunAsync(line);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 5);
        return ended;
    }

    private static async Task<CliResult> InterruptedAsync(CliProcess mcpsm, string line)
    {
        using var process = mcpsm.Start(line.Split(' '));
        await Task.Delay(1000);
        using (var kill = Process.Start("kill", ["-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync();
        }
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new CliResult(process.ExitCode, output, await errors);
    }
}
