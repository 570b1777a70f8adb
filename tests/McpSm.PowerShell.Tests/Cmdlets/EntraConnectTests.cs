using System.Diagnostics;
using System.Management.Automation;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using McpSm.PowerShell.Tests.Support;
using McpSm.TestServers;
using McpSm.TestServers.Entra;
using Xunit;

namespace McpSm.PowerShell.Tests.Cmdlets;

/// <summary>
/// Tests of Connect-McpServer with Entra ID. A process reads its trusted authorities when it starts, so the cmdlets run in a child
/// process: it runs the same test, and a variable tells it so.
/// </summary>
[Collection(SerialCollection.Name)]
public sealed class EntraConnectTests
{
    private const string Scope = "api://my-api/.default";
    private const string ServerVariable = "MCPSM_TEST_ENTRA_SERVER";
    private const string KeyVariable = "MCPSM_TEST_ENTRA_KEY";

    private static readonly string[] Ways =
    [
        "Connect-McpServer my-api -NoBrowser -CallbackPort 0",
        "Connect-McpServer my-api -UseDeviceCode",
        "Connect-McpServer my-api -ClientCredential $credential",
        "Connect-McpServer my-api -Certificate $certificate -ClientId " + FakeEntra.Daemon,
        "Connect-McpServer my-api -KeyFilePath $keyFile -ClientId " + FakeEntra.Daemon,
        "Connect-McpServer my-api -ManagedIdentity",
        "Connect-McpServer my-api -ManagedIdentity -ClientId " + FakeEntra.Daemon,
    ];

    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Sign_in_to_Entra_ID_works_in_every_way()
    {
        if (Environment.GetEnvironmentVariable(ServerVariable) is { } there)
        {
            Assert.All(Ways, way => SignInRenewAndOut(there, way));
            return;
        }
        Assert.SkipWhen(OperatingSystem.IsWindows() || OperatingSystem.IsMacOS(), "SSL_CERT_FILE is OpenSSL's.");
        var folder = Directory.CreateTempSubdirectory("mcpsm-test-").FullName;
        try
        {
            var key = Keys.Of("RS256");
            using var certificate = key.WithKey();
            await using var entra = await FakeEntra.StartAsync(LoopbackCertificates.Server);
            await using var service = await FakeEntra.StartAsync();
            entra.Apps[FakeEntra.Daemon] = new EntraApp(FakeEntra.Daemon, FakeEntra.Secret, certificate);
            using var proxy = new EntraProxy(entra);
            await using var server = await TestMcpServer.StartAsync(new TestMcpServerOptions
            {
                Issuers = [$"https://login.microsoftonline.com/{FakeEntra.Tenant}/v2.0"],
                Scope = Scope,
            });
            server.Introspect = token => entra.Tokens.Introspect(token, server.Resource) ?? service.Tokens.Introspect(token, server.Resource);

            var start = new ProcessStartInfo("dotnet",
                [typeof(EntraConnectTests).Assembly.Location, "--filter-class", typeof(EntraConnectTests).FullName!])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment["SSL_CERT_FILE"] = Path.Combine(folder, "authority.pem");
            LoopbackCertificates.WriteAuthorityPem(start.Environment["SSL_CERT_FILE"]!);
            start.Environment["HTTPS_PROXY"] = start.Environment["https_proxy"] = proxy.Url;
            start.Environment["NO_PROXY"] = start.Environment["no_proxy"] = "127.0.0.1,localhost";
            start.Environment["IDENTITY_ENDPOINT"] = service.Origin + "/msi/token";
            start.Environment["IDENTITY_HEADER"] = FakeEntra.IdentityHeader;
            start.Environment[ServerVariable] = server.McpUrl.AbsoluteUri;
            start.Environment[KeyVariable] = Path.Combine(folder, "key.pem");
            File.WriteAllText(start.Environment[KeyVariable]!, key.Private + "\n" + key.Certificate);
            var (code, output) = await RunAsync(start);
            Assert.True(code == 0, output);

            Assert.Single(entra.Traffic.OfGrant("authorization_code"));
            Assert.Single(entra.Traffic.Requests, r => r.Path.EndsWith("/devicecode", StringComparison.Ordinal));
            Assert.Equal(2, entra.Traffic.OfGrant("refresh_token").Count);
            // Each way signs in and renews: the secret, the certificate, the file with certificate and key.
            Assert.Equal([false, false, true, true, true, true],
                entra.Traffic.OfGrant("client_credentials").Select(r => r.Form.ContainsKey("client_assertion")).Order());
            Assert.Equal([null, null, FakeEntra.Daemon, FakeEntra.Daemon], service.Traffic.Requests.Select(r => r.QueryValue("client_id")).Order());
            Assert.DoesNotContain(entra.Traffic.Requests, r => r.Query.ContainsKey("resource") || r.Form.ContainsKey("resource"));
            Assert.All(proxy.Connections, host => Assert.Equal("login.microsoftonline.com:443", host));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Runs in the child process.</summary>
    private static void SignInRenewAndOut(string server, string way)
    {
        var keyFile = Environment.GetEnvironmentVariable(KeyVariable)!;
        using var certificate = X509Certificate2.CreateFromPemFile(keyFile);
        using var session = new ModuleSession();
        session.Host.Click = ClickAsync;
        session.Run("Add-McpServer my-api $args[0] -ClientId $args[1]", server, FakeEntra.Person);
        session.Run("$global:credential, $global:certificate, $global:keyFile = $args",
            new PSCredential(FakeEntra.Daemon, new NetworkCredential("", FakeEntra.Secret).SecurePassword), certificate, keyFile);

        Assert.Equal("Authenticated", session.Text($"({way}).State"));
        Assert.Empty(session.Errors.Select(e => e.ToString()));
        Assert.Empty(session.Warnings);
        Assert.Equal($"Authenticated True {Scope}", session.Text(
            "Get-McpAuthStatus my-api | ForEach-Object { \"$($_.State) $($_.CanRenew) $($_.Scopes)\" }"));
        Assert.Equal("Authenticated", session.Text("(Update-McpToken my-api).State"));
        Assert.Equal("True", session.Text("Test-McpServer my-api -Quiet"));
        Assert.Equal("NotAuthenticated", session.Text("(Disconnect-McpServer my-api -Force -PassThru).State"));
        Assert.Empty(session.Errors.Select(e => e.ToString()));
    }

    private static async Task ClickAsync(Uri url)
    {
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var browser = new HttpClient(handler);
        using var answer = await browser.GetAsync(url);
        using var page = await browser.GetAsync(answer.Headers.Location);
    }

    private static async Task<(int Code, string Said)> RunAsync(ProcessStartInfo start)
    {
        using var limit = new CancellationTokenSource(Longest);
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await output + await error);
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
