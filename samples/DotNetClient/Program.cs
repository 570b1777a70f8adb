using McpSm.Core;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Samples.DotNetClient;
using ModelContextProtocol.Client;

// A .NET program that calls a protected MCP server as the current user:
//   dotnet run --project samples/DotNetClient -- https://example.com/mcp
if (args is not [var url])
{
    Console.Error.WriteLine("Usage: DotNetClient <url of an MCP server>");
    return 2;
}
try
{
    // The servers and credentials are shared with the mcpsm command and the PowerShell module: a sign-in with one of them works here too.
    var environment = new AppEnvironment();
    var authenticator = new Authenticator(environment, new ConsoleInteraction(environment));
    var (server, _) = await authenticator.Servers.FindOrAddAsync(url, CancellationToken.None);

    // The handler sends the token, renews it, and signs in if the server asks for that or for more scopes. Without the
    // options it never signs in, which is right for a service.
    var signIn = new SignInOptions { Timeout = TimeSpan.FromMinutes(5) };
    using var http = new HttpClient(new AuthenticatingHandler(server, authenticator, signIn)) { Timeout = Timeout.InfiniteTimeSpan };
    await using var transport = new HttpClientTransport(new HttpClientTransportOptions
    {
        Endpoint = new Uri(server.Url),
        TransportMode = server.Transport == McpTransport.Sse ? HttpTransportMode.Sse : HttpTransportMode.StreamableHttp,
    }, http);

    // The first request can include a sign-in, so its timeout must be longer than that of the sign-in.
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
