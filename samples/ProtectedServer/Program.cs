using System.Globalization;
using System.Runtime.InteropServices;
using McpSm.Samples;

const string Usage = "Usage: ProtectedServer [--port N] [--issuer-port N] [--auto-approve] [--dpop]";

var port = 0;
var issuerPort = 0;
// For scripts: approve every request without a consent page.
var autoApprove = args.Contains("--auto-approve");
// Issue and accept only bound tokens, with nonces (RFC 9449).
var dpop = args.Contains("--dpop");
args = [.. args.Where(a => a is not ("--auto-approve" or "--dpop"))];
for (var i = 0; i < args.Length; i += 2)
{
    var value = 0;
    var understood = i + 1 < args.Length
        && int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out value)
        && value <= ushort.MaxValue;
    switch (args[i])
    {
        case "--port" when understood:
            port = value;
            break;
        case "--issuer-port" when understood:
            issuerPort = value;
            break;
        default:
            Console.Error.WriteLine(Usage);
            return 2;
    }
}

const string jobId = "sample-job";
var jobSecret = Secrets.New("secret_");
await using var issuer = await AuthorizationServer.StartAsync(new AuthorizationServerOptions
{
    Port = issuerPort,
    SupportsDeviceCode = true,
    AutoApprove = autoApprove,
    SupportsDPoP = true,
    RequireDPoPNonce = dpop,
    PreRegisteredClients = [new RegisteredClient(jobId, jobSecret, [], "client_secret_basic") { GrantTypes = [GrantTypes.ClientCredentials] }],
});
await using var server = await ProtectedMcpServer.StartAsync(issuer,
    new ProtectedMcpServerOptions { Port = port, RequireDPoP = dpop, RequireDPoPNonce = dpop });

Console.WriteLine($"""
    A protected MCP server is running.

      Streamable HTTP   {server.McpUrl}
      HTTP+SSE          {server.SseUrl}
      Issuer            {issuer.Issuer}

    Sign in from another terminal:

      mcpsm add my-api --type http --url {server.McpUrl}
      mcpsm auth login my-api

    Or unattended, like a CI job:

      MCP_SERVER={server.McpUrl} MCP_ISSUER={issuer.Issuer} \
      MCPSM_CLIENT_ID={jobId} MCPSM_CLIENT_SECRET={jobSecret} samples/ci-job.sh

    Press Ctrl+C to stop it.
    """);

var ended = new TaskCompletionSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
await ended.Task;
return 0;

void End(PosixSignalContext signal)
{
    // The process ends when both servers have stopped.
    signal.Cancel = true;
    ended.TrySetResult();
}
