using Xunit;

namespace McpSm.Commands.Tests;

public sealed class HandOverTests
{
    private static async Task<Mcpsm> WithVaultElsewhereAsync()
    {
        var mcpsm = new Mcpsm();
        await mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp");
        File.WriteAllText(Path.Combine(mcpsm.Folder, "settings.json"), """{"vault":"secretmanagement:Store"}""");
        return mcpsm;
    }

    [Fact]
    public async Task A_command_that_needs_it_goes_to_pwsh_word_by_word_with_its_input_and_its_exit_code()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("The stand-in for pwsh is a shell script.");
            return;
        }
        using var mcpsm = await WithVaultElsewhereAsync();
        var bin = Directory.CreateDirectory(Path.Combine(mcpsm.Folder, "bin")).FullName;
        var pwsh = Path.Combine(bin, "pwsh");
        // The script itself is the fourth word; what is behind it is the command line.
        File.WriteAllText(pwsh, "#!/bin/sh\nshift 4\nfor word; do echo \"[$word]\"; done\nif [ \"$MCPSM_HANDED_OVER\" = input ]; then cat; fi\nexit 42\n");
        File.SetUnixFileMode(pwsh, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        mcpsm.Variables["PATH"] = bin + ":" + Environment.GetEnvironmentVariable("PATH");
        var ended = await mcpsm.RunAsync(["auth", "set", "my-api", "-"], "piped $(token);'\n");
        Assert.Equal(42, ended.Code);
        Assert.Equal("[auth]\n[set]\n[my-api]\n[-]\npiped $(token);'\n", ended.Out);
        Assert.Equal("[test]\n", (await mcpsm.RunAsync("test")).Out);
        Assert.Equal("[identity]\n[login]\n", (await mcpsm.RunAsync("identity login")).Out);
        Assert.Contains("No identity provider is set", (await mcpsm.RunAsync("identity")).Error);
        Assert.Contains("my-api", (await mcpsm.RunAsync("auth status")).Out);
        Assert.Equal(0, (await mcpsm.RunAsync(["auth", "set", "my-api", "-", "--vault", "file"], "here")).Code);
        Assert.Equal("here", (await mcpsm.RunAsync("auth token my-api")).Out.Trim());
    }

    [Fact]
    public async Task Without_pwsh_it_says_so()
    {
        using var mcpsm = await WithVaultElsewhereAsync();
        mcpsm.Variables["PATH"] = mcpsm.Folder;
        var ended = await mcpsm.RunAsync("auth token my-api");
        Assert.Equal(1, ended.Code);
        Assert.Contains("pwsh was not found", ended.Error);
        Assert.Empty(ended.Out);
    }

    [Fact]
    public async Task Without_pwsh_a_vault_that_is_named_does_without()
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
    [InlineData("credentials.json", """{"version":1,"servers":{},"identities":{"mcpsmidp-1":{"issuer":"https://idp.example","vault":"secretmanagement:Store"}}}""")]
    [InlineData("settings.json", """{"vault":"file","movingFrom":["secretmanagement:Store"]}""")]
    public async Task A_move_out_of_such_a_vault_is_pwshs_to_make_whatever_is_in_it(string name, string content)
    {
        using var mcpsm = new Mcpsm();
        mcpsm.Variables["PATH"] = mcpsm.Folder;
        File.WriteAllText(Path.Combine(mcpsm.Folder, name), content);
        (await mcpsm.RunAsync("vault use file --move")).Failed(1, "pwsh was not found", "Install PowerShell");
    }
}
