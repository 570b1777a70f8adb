using McpSm.ConformanceClient;
using McpSm.Core;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using ModelContextProtocol.Client;

// The program that the official conformance suite tests: it adds the server of the suite like a user, then lists and calls tools
// through the handler, which signs in if the server asks for it. With MCPSM_CONFORMANCE_RELAY, the path of mcpsm, it talks to the server through
// the relay instead. tests/interop/conformance/run.sh runs it.
var scenario = Environment.GetEnvironmentVariable("MCP_CONFORMANCE_SCENARIO") ?? throw new InvalidOperationException("No scenario is named.");
var context = Environment.GetEnvironmentVariable("MCP_CONFORMANCE_CONTEXT");
var change = Scenario.Server(scenario, url: args[^1], context);
var refusal = Scenario.Refusal(scenario);

var folder = Directory.CreateTempSubdirectory("mcpsm-conformance-");
try
{
    var variables = new Dictionary<string, string> { ["MCPSM_CONFIG_DIR"] = folder.FullName, ["MCPSM_VAULT"] = "file", ["BROWSER"] = "a stand-in" };
    var authenticator = new Authenticator(new AppEnvironment(variables.GetValueOrDefault), new StandInPerson());
    var server = (await authenticator.Servers.AddAsync(change, CancellationToken.None)).Server;
    if (Environment.GetEnvironmentVariable("MCPSM_CONFORMANCE_RELAY") is { Length: > 0 } relay)
    {
        await new RelayRun(scenario, context).RunAsync([relay, "proxy", server.Name], variables);
        Console.Error.WriteLine("Everything was used.");
        return 0;
    }
    var signIn = new SignInOptions
    {
        CallbackPort = 0,
        Timeout = TimeSpan.FromSeconds(20),
        IdentityProvider = await Scenario.SignInToIdentityProviderAsync(scenario, context, authenticator),
        ClientCredentials = Scenario.Client(scenario, context, folder.FullName),
    };
    await UseAsync(server, authenticator, signIn);
    Console.Error.WriteLine(refusal is null ? "Every tool was called." : $"Every tool was called, and {refusal} was to be found.");
    return refusal is null ? 0 : 1;
}
catch (McpAuthException e) when (e.Reason == refusal)
{
    Console.Error.WriteLine($"Refused as it should be, {e.Reason}: {e.Message}");
    return 0;
}
finally
{
    folder.Delete(recursive: true);
}

static async Task UseAsync(McpServer server, Authenticator authenticator, SignInOptions signIn)
{
    using var http = new HttpClient(new AuthenticatingHandler(server, authenticator, signIn));
    await using var transport = new HttpClientTransport(new HttpClientTransportOptions
    {
        Endpoint = new Uri(server.Url),
        TransportMode = HttpTransportMode.StreamableHttp,
    }, http);
    await using var client = await McpClient.CreateAsync(transport);
    foreach (var tool in await client.ListToolsAsync())
    {
        await tool.CallAsync();
    }
}
