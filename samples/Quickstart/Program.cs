using System.Runtime.InteropServices;
using McpSm.Samples;
using McpSm.Samples.Quickstart;

// mcpsm starts this program as its browser: it does what a user does on the pages of the issuer.
if (args is ["--browse", var url])
{
    using var page = await StandInBrowser.ClickThroughAsync(new Uri(url));
    return page.IsSuccessStatusCode ? 0 : 1;
}
var keepRunning = args.Contains("--keep-running");
var inShell = args.Contains("--shell");
if (args.Any(a => a is not ("--keep-running" or "--shell")))
{
    Console.Error.WriteLine("Usage: Quickstart [--shell] [--keep-running]");
    return 2;
}

await using var issuer = await AuthorizationServer.StartAsync(new AuthorizationServerOptions { SupportsDeviceCode = true });
await using var server = await ProtectedMcpServer.StartAsync(issuer);
Console.WriteLine($"A protected MCP server is running at {server.McpUrl}. Its issuer is {issuer.Issuer}.");
using var folder = new TemporaryFolder();
// Clean up after Ctrl+C and kill too.
var ended = new TaskCompletionSource();
void End(PosixSignalContext signal)
{
    signal.Cancel = keepRunning && ended.TrySetResult();
    if (!signal.Cancel)
    {
        folder.Dispose();
    }
}
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
var terminal = new Terminal(folder.Path);
if (inShell)
{
    Console.WriteLine("These are the commands that you would type, with their output. This program does what you would do in the browser.");
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
            Console.Error.WriteLine($"The command failed with exit code {code}.");
            return 1;
        }
    }
}
else
{
    Console.WriteLine("These are the commands that you would type in PowerShell, with their output. This program does what you would do in the browser.");
    string[] lines =
    [
        $"Add-McpServer my-api {server.McpUrl.AbsoluteUri}",
        "Get-McpAuthStatus",
        "Connect-McpServer my-api -CallbackPort 0",
        "Test-McpServer my-api",
        "Get-McpServer | Get-McpAuthStatus | Where-Object CanRenew | Update-McpToken",
        "mcpsm auth status --json",
        "Get-McpToken my-api",
        "Disconnect-McpServer my-api -Force",
    ];
    if (!await new PowerShellTerminal(folder.Path).RunAsync(lines))
    {
        Console.Error.WriteLine("The command failed.");
        return 1;
    }
}
Console.WriteLine();
if (!keepRunning)
{
    Console.WriteLine(inShell ? "Done." : "Done. For the same in any shell: dotnet run --project samples/Quickstart -- --shell");
    Console.WriteLine("To sign in yourself in a real browser, add --keep-running.");
    return 0;
}
Console.WriteLine($"""
    The server is still running. Sign in yourself, in another terminal:

      {terminal.CommandLine} add by-hand --type http --url {server.McpUrl}
      {terminal.CommandLine} auth login by-hand

    Or in pwsh 7.6, after Import-Module '{PowerShellTerminal.Module}':

      Connect-McpServer -Url {server.McpUrl}

    Press Ctrl+C to stop it.
    """);
await ended.Task;
return 0;
