using McpSm.Commands.Tests.Support;
using McpSm.Core.Credentials;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.PowerShell;

public sealed class PowerShellDelegationTests
{
    private static async Task<CliProcess> WithVaultElsewhereAsync()
    {
        var mcpsm = new CliProcess();
        await mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp");
        File.WriteAllText(Path.Combine(mcpsm.Folder, "settings.json"), """{"vault":"secretmanagement:Store"}""");
        return mcpsm;
    }

    [Fact]
    public async Task Command_is_passed_to_pwsh_with_its_words_input_and_exit_code()
    {
        using var mcpsm = await WithVaultElsewhereAsync();
        StandIn(mcpsm, "for word; do echo \"[$word]\"; done\nif [ \"$MCPSM_HANDED_OVER\" = input ]; then cat; fi\nexit 42");
        var ended = await mcpsm.RunAsync(["auth", "set", "my-api", "-"], "piped $(token);'\n");
        Assert.Equal(42, ended.Code);
        Assert.Equal("[auth]\n[set]\n[my-api]\n[-]\npiped $(token);'\n", ended.Out);
        Assert.Equal("[auth]\n[reject]\n[my-api]\nrefused\n", (await mcpsm.RunAsync(["auth", "reject", "my-api"], "refused\n")).Out);
        Assert.Equal("[test]\n", (await mcpsm.RunAsync("test")).Out);
        Assert.Equal("[identity]\n[login]\n", (await mcpsm.RunAsync("identity login")).Out);
        Assert.Contains("No identity provider is set", (await mcpsm.RunAsync("identity")).Error);
        Assert.Contains("my-api", (await mcpsm.RunAsync("auth status")).Out);
        Assert.Equal(0, (await mcpsm.RunAsync(["auth", "set", "my-api", "-", "--vault", "file"], "here")).Code);
        Assert.Equal("here", (await mcpsm.RunAsync("auth token my-api")).Out.Trim());
    }

    [Fact]
    public async Task Relay_of_a_SecretManagement_vault_gets_the_streams_of_the_client()
    {
        using var mcpsm = await WithVaultElsewhereAsync();
        StandIn(mcpsm, "for word; do echo \"[$word]\"; done; echo \"$MCPSM_HANDED_OVER\"; cat");
        Assert.Equal("[proxy]\n[my-api]\n1\n{\"a\": 1}\n\n", (await mcpsm.RunAsync(["proxy", "my-api"], "{\"a\": 1}\n\n")).Out);
    }

    [Fact]
    public async Task Registration_in_a_SecretManagement_vault_is_removed_by_pwsh()
    {
        using var mcpsm = new CliProcess();
        await mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp --issuer https://issuer.example");
        File.WriteAllText(Path.Combine(mcpsm.Folder, "settings.json"), """{"vault":"file"}""");
        var item = CredentialStore.ClientItemName("https://issuer.example");
        StandIn(mcpsm, "for word; do echo \"[$word]\"; done");
        Assert.DoesNotContain("[forget]", (await mcpsm.RunAsync("auth forget my-api")).Out);
        File.WriteAllText(Path.Combine(mcpsm.Folder, "credentials.json"),
            """{"version":1,"servers":{},"registrations":{"ITEM":{"issuer":"https://issuer.example","vault":"secretmanagement:Store","servers":["my-api"]}}}"""
                .Replace("ITEM", item));
        Assert.Equal("[auth]\n[forget]\n[my-api]\n", (await mcpsm.RunAsync("auth forget my-api")).Out);
    }

    [Theory]
    [InlineData("secretmanagement:Store", "file", true)]
    [InlineData("file", "secretmanagement:Store", false)]
    public async Task New_server_with_a_token_uses_the_vault_of_new_credentials_only(string selected, string used, bool inPowerShell)
    {
        using var mcpsm = new CliProcess();
        await mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp");
        File.WriteAllText(Path.Combine(mcpsm.Folder, "settings.json"), $$"""{"vault":"{{selected}}"}""");
        File.WriteAllText(Path.Combine(mcpsm.Folder, "credentials.json"),
            """{"version":1,"servers":{"my-api":{"vault":"USED","kind":"Bearer","url":"https://a.example/mcp"}}}""".Replace("USED", used));
        StandIn(mcpsm, "echo in pwsh");
        var result = (await mcpsm.RunAsync(["add", "other", "--type", "http", "--url", "https://b.example/mcp", "--token", "-"], "token")).Done();
        Assert.Equal(inPowerShell, result.Out == "in pwsh\n");
    }

    [Theory]
    [InlineData("auth set my-api SECRET")]
    [InlineData("server update my-api --token SECRET")]
    [InlineData("server update my-api --token=SECRET")]
    [InlineData("server update my-api --token:SECRET")]
    [InlineData("server update my-api --header x-key=SECRET --header y=b")]
    [InlineData("server update my-api --header=x-key=SECRET")]
    [InlineData("server update my-api --url https://a.example/mcp?key=SECRET --token -")]
    [InlineData("add other --type http --url https://me:SECRET@b.example/mcp --token -")]
    public async Task Secret_reaches_pwsh_on_standard_input_and_never_as_an_argument(string line)
    {
        using var mcpsm = await WithVaultElsewhereAsync();
        // A letter outside ASCII, quotes and a text like a date must be passed on unchanged too.
        var secret = "SECRET-ü\"'$(id)2026-01-02T00:00:00Z";
        StandIn(mcpsm, "for word; do echo \"[$word]\"; done; echo \"$MCPSM_HANDED_OVER\"; "
            + "tr '\\0' '\\n' < /proc/$$/cmdline | grep -c SECRET; cat; env | grep -c ^MCPSM_CLIENT_SECRET=");
        mcpsm.Variables["MCPSM_CLIENT_SECRET"] = "kept";
        var words = line.Split(' ').Select(w => w.Replace("SECRET", secret)).ToArray();
        var reads = words[^1] == "-";
        var ended = (await mcpsm.RunAsync(words, "piped $(token);'\n")).Done();
        var lines = ended.Out.TrimEnd().Split('\n');
        Assert.Equal(reads ? ["line+input", "0"] : ["line", "0"], lines[..2]);
        Assert.Equal(words, System.Text.Json.JsonSerializer.Deserialize<string[]>(lines[2])!);
        Assert.All(lines[2], c => Assert.InRange(c, ' ', '~'));
        Assert.Equal(reads ? ["piped $(token);'", "1"] : ["1"], lines[3..]);
    }

    [Fact]
    public async Task Secret_typed_at_a_terminal_reaches_pwsh_through_a_pipe()
    {
        using var mcpsm = await WithVaultElsewhereAsync();
        Require.OrSkip(File.Exists("/usr/bin/script"), "The command script of util-linux is missing; it makes a terminal.");
        StandIn(mcpsm, "echo \"words $#\"; cat \"/dev/fd/${MCPSM_HANDED_OVER#pipe:}\"; test -t 0 && read answer && echo \"answered $answer\"");
        using var process = mcpsm.Start(["auth", "set", "my-api", "PLANTED-token"], onTerminal: true);
        await process.StandardInput.WriteLineAsync("yes");
        await process.StandardInput.FlushAsync(Cancellation);
        var output = await process.StandardOutput.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        Assert.Contains("words 0", output);
        Assert.Contains("""["auth","set","my-api","PLANTED-token"]""", output);
        Assert.Contains("answered yes", output);
        Assert.Equal(0, process.ExitCode);
    }

    [Theory]
    [InlineData("auth set my-api SECRET", "", "[auth][set][my-api][SECRET]")]
    [InlineData("auth set my-api -", "one\ntwo\n", "[auth][set][my-api][-]<one><two>")]
    [InlineData("server update my-api --header a=SECRET --token -", "one\n", "[server][update][my-api][--header][a=SECRET][--token][-]<one>")]
    [InlineData("test my-api", "not read\n", "[test][my-api]")]
    public async Task Real_pwsh_receives_every_word_and_line(string line, string input, string got)
    {
        using var mcpsm = await WithVaultElsewhereAsync();
        RealPowerShell.AddTo(mcpsm.Variables);
        var module = Directory.CreateDirectory(Path.Combine(mcpsm.Folder, "modules", "Mcpsm")).FullName;
        File.WriteAllText(Path.Combine(module, "Mcpsm.psm1"),
            "function Invoke-Mcpsm { -join (@($args | ForEach-Object { \"[$_]\" }) + @($input | ForEach-Object { \"<$_>\" })); $global:LASTEXITCODE = 42 }");
        mcpsm.Variables["PSModulePath"] = Path.GetDirectoryName(module);
        var secret = "ü\"'$(id)2026-01-02T00:00:00Z";
        var ended = await mcpsm.RunAsync([.. line.Split(' ').Select(w => w.Replace("SECRET", secret))], input);
        Assert.Equal(got.Replace("SECRET", secret), ended.Out.Trim());
        Assert.Equal(42, ended.Code);
    }

    /// <summary>Puts a shell script in the place of pwsh. The arguments after its script are the command line.</summary>
    private static void StandIn(CliProcess mcpsm, string script)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("The stand-in for pwsh is a shell script.");
            return;
        }
        var bin = Directory.CreateDirectory(Path.Combine(mcpsm.Folder, "bin")).FullName;
        var pwsh = Path.Combine(bin, "pwsh");
        // The fourth argument is the script.
        File.WriteAllText(pwsh, $"#!/bin/sh\nshift 4\n{script}\n");
        File.SetUnixFileMode(pwsh, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        mcpsm.Variables["PATH"] = bin + ":" + Environment.GetEnvironmentVariable("PATH");
    }

    [Fact]
    public async Task Missing_pwsh_is_an_error_that_names_it()
    {
        using var mcpsm = await WithVaultElsewhereAsync();
        mcpsm.Variables["PATH"] = mcpsm.Folder;
        var ended = await mcpsm.RunAsync("auth token my-api");
        Assert.Equal(1, ended.Code);
        Assert.Contains("pwsh was not found", ended.Error);
        Assert.Empty(ended.Out);
    }

    [Fact]
    public async Task Missing_pwsh_is_not_needed_with_another_vault()
    {
        using var mcpsm = await WithVaultElsewhereAsync();
        mcpsm.Variables["PATH"] = mcpsm.Folder;
        File.WriteAllText(Path.Combine(mcpsm.Folder, "credentials.json"),
            """{"version":1,"servers":{"my-api":{"vault":"secretmanagement:Store","kind":"Bearer","url":"https://a.example/mcp"}}}""");
        (await mcpsm.RunAsync(["auth", "set", "my-api", "-", "--vault", "file"], "here")).Done();
        Assert.Equal("here", (await mcpsm.RunAsync("auth token my-api")).Done().Out.Trim());
    }

    [Theory]
    [InlineData("credentials.json", """{"version":1,"servers":{"gone":{"vault":"secretmanagement:Store","kind":"Bearer"}}}""")]
    [InlineData("credentials.json",
        """{"version":1,"servers":{},"identities":{"mcpsmidp-1":{"issuer":"https://idp.example","vault":"secretmanagement:Store"}}}""")]
    [InlineData("settings.json", """{"vault":"file","movingFrom":["secretmanagement:Store"]}""")]
    public async Task Move_out_of_a_SecretManagement_vault_is_passed_to_pwsh(string name, string content)
    {
        using var mcpsm = new CliProcess();
        mcpsm.Variables["PATH"] = mcpsm.Folder;
        File.WriteAllText(Path.Combine(mcpsm.Folder, name), content);
        (await mcpsm.RunAsync("vault use file --move")).Failed(1, "pwsh was not found", "Install PowerShell");
    }
}
