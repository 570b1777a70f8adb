using McpSm.Core;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Samples.DotNetClient;
using ModelContextProtocol.Client;

// A .NET program that calls a protected MCP server as the person who runs it:
//   dotnet run --project samples/DotNetClient -- https://example.com/mcp
if (args is not [var url])
{
    Console.Error.WriteLine("Usage: DotNetClient <url of an MCP server>");
    return 2;
}
try
{
    // The servers and credentials are those of the mcpsm command and of the PowerShell module: who has signed in with
    // one of them is signed in here.
    var environment = new AppEnvironment();
    var authenticator = new Authenticator(environment, new ConsoleInteraction(environment));
    var (server, _) = await authenticator.Servers.FindOrAddAsync(url, CancellationToken.None);

    // The handler shows the token, renews it, and signs in where the server asks for that or for more scopes. Without
    // the options it never signs in, as a service should have it.
    var signIn = new SignInOptions { Timeout = TimeSpan.FromMinutes(5) };
    using var http = new HttpClient(new AuthenticatingHandler(server, authenticator, signIn)) { Timeout = Timeout.InfiniteTimeSpan };
    await using var transport = new HttpClientTransport(new HttpClientTransportOptions
    {
        Endpoint = new Uri(server.Url),
        TransportMode = server.Transport == McpTransport.Sse ? HttpTransportMode.Sse : HttpTransportMode.StreamableHttp,
    }, http);

    // A person may sign in within the first request, so it must not be given up sooner than the sign-in is.
    await using var client = await McpClient.CreateAsync(transport, new McpClientOptions
    {
        InitializationTimeout = signIn.Timeout + TimeSpan.FromMinutes(1),
        DiscoverProbeTimeout = Timeout.InfiniteTimeSpan,
    });
    foreach (var tool in await client.ListToolsAsync())
    {
        Console.WriteLine($"{tool.Name}: {tool.Description}");
    }
    return 0;
}
catch (McpAuthException e)
{
    Console.Error.WriteLine(e.Remedy is null ? e.Message : $"{e.Message}\n{e.Remedy}");
    return 1;
}
