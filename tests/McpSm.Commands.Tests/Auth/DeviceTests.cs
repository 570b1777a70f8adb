using System.Text.RegularExpressions;
using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Auth;

/// <summary>Tests of a sign-in with a code on another device.</summary>
public sealed partial class DeviceTests
{
    private static readonly AuthorizationServerOptions WithDevices = new()
    {
        SupportsDeviceCode = true,
        DevicePollingInterval = TimeSpan.FromSeconds(1),
    };

    [Theory]
    [InlineData("auth login my-api --device")]
    [InlineData("auth my-api --device")]
    public async Task Device_code_is_shown_and_the_sign_in_waits_for_it(string line)
    {
        await using var issuer = await TestIssuer.StartAsync(WithDevices);
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        var ended = (await mcpsm.RunAsync(line, Deciding(issuer, approve: true))).Done();
        Assert.Contains($"To sign in, visit {issuer.Issuer}/device?user_code=", ended.Error);
        Assert.Contains("the code is valid for 10 min", ended.Error);
        Assert.Equal("✔ Signed in to 'my-api' (expires: in 60 min).\n", ended.Out);
        Assert.NotNull(issuer.Server.Introspect(await mcpsm.TokenAsync()));
        (await mcpsm.RunAsync("auth refresh my-api")).Done();
    }

    [Rule(37)]
    [Fact]
    public async Task Device_page_on_another_site_is_shown_with_a_warning()
    {
        await using var issuer = await TestIssuer.StartAsync(WithDevices);
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        var ended = (await mcpsm.RunAsync("auth login my-api --device", Deciding(issuer, approve: true))).Done();
        Assert.Contains($"The issuer {issuer.Issuer} asks you to sign in to 'my-api'.\n", ended.Error);
        Assert.DoesNotContain("another site", ended.Error);
        issuer.Faults.RewriteJson("/device_authorization", json => json["verification_uri_complete"] = "https://b\u00fccher.example/device");
        ended = (await mcpsm.RunAsync("auth login my-api --device --quiet", Deciding(issuer, approve: true))).Done();
        Assert.Single(ended.Error.Split('\n'), l => l.Contains("xn--bcher-kva.example, which is not the site of the issuer"));
        Assert.Contains("To sign in, visit https://xn--bcher-kva.example/device\n", ended.Error);
    }

    [Fact]
    public async Task Denied_device_code_ends_the_sign_in()
    {
        await using var issuer = await TestIssuer.StartAsync(WithDevices);
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.RunAsync("auth login my-api --device", Deciding(issuer, approve: false))).Failed(1, "access_denied");
    }

    [Fact]
    public async Task Device_code_that_is_never_entered_times_out()
    {
        await using var issuer = await TestIssuer.StartAsync(WithDevices);
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.RunAsync("auth login my-api --device --timeout 1")).Failed(1, "The sign-in was not finished within 1 second");
    }

    [Fact]
    public async Task Issuer_without_device_codes_is_one_error()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.RunAsync("auth login my-api --device")).Failed(1, "does not support sign-in with a device code", "omit --device");
    }

    [Theory]
    [InlineData("", false, true)]
    [InlineData(" --no-browser", false, false)]
    [InlineData(" --no-browser", true, false)]
    public async Task Device_code_is_the_default_without_a_desktop(string options, bool desktop, bool device)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || OperatingSystem.IsMacOS(), "This system always has a desktop.");
        await using var issuer = await TestIssuer.StartAsync(WithDevices);
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        if (desktop)
        {
            mcpsm.Variables["DISPLAY"] = ":0";
        }
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.RunAsync("auth login my-api" + options, Deciding(issuer, approve: true))).Done();
        Assert.Equal(device, issuer.Traffic.Count("/device_authorization") == 1);
    }

    private static TestConsole Deciding(TestIssuer issuer, bool approve)
    {
        var console = TestConsole.Pipe();
        console.ErrorLine += line =>
        {
            if (UserCode().Match(line) is { Success: true } found)
            {
                Assert.True(issuer.Server.DecideDevice(found.Groups[1].Value, approve));
            }
        };
        return console;
    }

    [GeneratedRegex(@"^and enter the code  (\S+)$")]
    private static partial Regex UserCode();
}
