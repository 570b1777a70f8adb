using System.Runtime.InteropServices;
using McpSm.Samples;
using McpSm.Samples.Quickstart;

// Started by mcpsm as its browser: does what a person does on the pages of the issuer.
if (args is ["--browse", var url])
{
    using var page = await StandInBrowser.ClickThroughAsync(new Uri(url));
    return page.IsSuccessStatusCode ? 0 : 1;
}
var keepRunning = args is ["--keep-running"];
if (args.Length > 0 && !keepRunning)
{
    Console.Error.WriteLine("Usage: Quickstart [--keep-running]");
    return 2;
}

await using var issuer = await AuthorizationServer.StartAsync(new AuthorizationServerOptions { SupportsDeviceCode = true });
await using var server = await ProtectedMcpServer.StartAsync(issuer);
Console.WriteLine($"A protected MCP server runs at {server.McpUrl}, its issuer at {issuer.Issuer}.");
Console.WriteLine("What follows is what you would type, and what mcpsm answers. A stand-in clicks in the browser.");

using var folder = new TemporaryFolder();
var terminal = new Terminal(folder.Path);
string[][] commands =
[
    ["add", "my-api", "--type", "http", "--url", server.McpUrl.AbsoluteUri],
    ["auth", "status"],
    ["auth", "login", "my-api", "--callback-port", "0"],
    ["auth", "status", "--json"],
    ["test", "my-api"],
    ["auth", "refresh", "my-api"],
    ["auth", "token", "my-api"],
    ["auth", "logout", "my-api", "--force"],
];
foreach (var command in commands)
{
    if (await terminal.RunAsync(command, isToken: command is ["auth", "token", ..]) is var code and not 0)
    {
        Console.Error.WriteLine($"That command failed with exit code {code}.");
        return 1;
    }
}
Console.WriteLine();
if (!keepRunning)
{
    Console.WriteLine("That was all. To sign in by hand in a real browser: dotnet run --project samples/Quickstart -- --keep-running");
    return 0;
}
Console.WriteLine($"""
    The server stays up. Sign in by hand, from another terminal:

      {terminal.CommandLine} add by-hand --type http --url {server.McpUrl}
      {terminal.CommandLine} auth login by-hand

    Ctrl+C ends it.
    """);
var ended = new TaskCompletionSource();
void End(PosixSignalContext signal)
{
    signal.Cancel = true;
    ended.TrySetResult();
}
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
await ended.Task;
return 0;
