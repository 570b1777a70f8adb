using System.Diagnostics;
using McpSm.PowerShell.Tests.Support;
using McpSm.Samples;
using Xunit;

namespace McpSm.PowerShell.Tests.Module;

/// <summary>Tests of which assemblies the module loads, and when. Startup time depends on it.</summary>
[Collection(SerialCollection.Name)]
public sealed class LoadingTests
{
    private const string Fresh = "MCPSM_TEST_FRESH";

    // The encrypted file uses DPAPI on Windows.
    private static readonly string[] OnWindows = ["System.Security.Cryptography.ProtectedData"];

    private static readonly string[] Least = ["McpSm.Commands", "McpSm.Core", "McpSm.Loader", "McpSm.PowerShell"];

    [Fact]
    public async Task Assemblies_are_loaded_only_if_they_are_needed()
    {
        if (Environment.GetEnvironmentVariable(Fresh) is null)
        {
            // Other tests of this process have already loaded every assembly.
            await InFreshProcessAsync(nameof(Assemblies_are_loaded_only_if_they_are_needed));
            return;
        }
        await using var issuer = await AuthorizationServer.StartAsync();
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var session = new ModuleSession();
        Assert.Equal(["McpSm.Loader", "McpSm.PowerShell"], Loaded());
        session.Run("Get-McpAuthStatus");
        Assert.Equal(["McpSm.Core", "McpSm.Loader", "McpSm.PowerShell"], Loaded());
        session.Run("Add-McpServer my-api $args[0]; Get-McpAuthStatus", server.McpUrl);
        session.Run("Set-McpToken my-api ([System.Net.NetworkCredential]::new('', 'a-token').SecurePassword) -Vault file");
        Assert.Empty(session.Errors);
        session.Run("Get-McpServer; Get-McpAuthStatus; Get-McpToken my-api; Get-McpVault; Get-McpIdentityProvider");
        Assert.Empty(session.Errors);
        Assert.Equal(Least, Loaded().Except(OnWindows));
        session.Run("Connect-McpServer my-api -NoBrowser -CallbackPort 0 -Vault file; Update-McpToken my-api");
        Assert.Empty(session.Errors);
        Assert.Equal(["Duende.IdentityModel", .. Least], Loaded().Except(OnWindows));
        Assert.True((bool)session.Run("Test-McpServer my-api -Quiet").Single().BaseObject);
        // The test server in this process uses the MCP SDK.
        Assert.Equal(["Duende.IdentityModel", .. Least], Loaded().Except(OnWindows));
    }

    private static List<string> Loaded()
    {
        var module = Path.GetDirectoryName(ModuleSession.Module)!;
        return [.. AppDomain.CurrentDomain.GetAssemblies().Where(a => !a.IsDynamic && a.Location.StartsWith(module, StringComparison.Ordinal))
            .Select(a => a.GetName().Name!).Order(StringComparer.Ordinal)];
    }

    private static async Task InFreshProcessAsync(string test)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(LoadingTests).Assembly.Location, "--filter-method", $"{typeof(LoadingTests).FullName}.{test}"])
        {
            RedirectStandardOutput = true,
        };
        start.Environment[Fresh] = "1";
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            Assert.True(process.ExitCode == 0, output);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }
}
