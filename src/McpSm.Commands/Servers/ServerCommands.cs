using System.CommandLine;
using McpSm.Commands.Auth;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Output;
using McpSm.Commands.Remedies;
using McpSm.Core;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;

namespace McpSm.Commands.Servers;

/// <summary><c>add</c>, <c>server update</c>, <c>list</c>, <c>remove</c>, <c>test</c>.</summary>
internal static class ServerCommands
{
    public static void AddTo(Command root, CommandContext context)
    {
        root.Add(Add(context));
        var server = new Command("server", "Change a server");
        server.Add(Update(context));
        root.Add(server);
        root.Add(List(context));
        root.Add(Remove(context));
        root.Add(Test(context));
    }

    private static Command Add(CommandContext context)
    {
        var name = new Argument<string>("name") { Description = "A name for the server" };
        var url = new Option<string>("--url", "-u") { Description = "Its URL, like https://example.com/mcp", Required = true };
        var options = new ServerOptions(typeRequired: true);
        var command = new Command("add", "Add a remote MCP server") { name, url };
        options.AddTo(command);
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            var change = await options.ReadAsync(parsed, context, cancellationToken).ConfigureAwait(false);
            var server = (await context.Authenticator.AddServerAsync(
                change with { Name = parsed.GetValue(name), Url = parsed.GetValue(url) }, cancellationToken).ConfigureAwait(false)).Server;
            context.Succeed($"Server '{server.Name}' added{(server.Id == server.Name ? "" : $" with the id {server.Id}")}.");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Update(CommandContext context)
    {
        var id = new Argument<string>("server") { Description = "Its id, name or URL" };
        var name = new Option<string?>("--name") { Description = "A new name" };
        var url = new Option<string?>("--url", "-u") { Description = "A new URL" };
        var options = new ServerOptions(typeRequired: false);
        var command = new Command("update", "Change a server's name, URL or sign-in options") { id, name, url };
        options.AddTo(command);
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            var before = context.Catalog.Get(parsed.GetValue(id)!);
            var change = await options.ReadAsync(parsed, context, cancellationToken).ConfigureAwait(false);
            var (server, moved, failure) = await context.Authenticator.UpdateServerAsync(before,
                change with { Name = parsed.GetValue(name), Url = parsed.GetValue(url) }, cancellationToken).ConfigureAwait(false);
            context.Succeed($"Server '{server.Name}' updated.");
            AuthCommands.WarnOfRevocation(context, failure);
            if (moved)
            {
                context.Warn($"it is on another origin now, where its old credential is not used. Sign in with: {NextCommand.For("auth login", server.Id)}");
            }
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command List(CommandContext context)
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON array" };
        var command = new Command("list", "List the servers") { json };
        command.SetReadAction((parsed, _) => context.RunAsync(() =>
        {
            var servers = context.Catalog.List();
            if (parsed.GetValue(json))
            {
                JsonOutput.Array(context.Console.Out, SecretNameReader.WithSecretNames(context.AppEnvironment, servers, out var failure), JsonOutput.Server);
                if (failure is not null)
                {
                    context.Warn($"the secrets of servers are not known. {failure.Message}");
                }
            }
            else if (servers.Count == 0)
            {
                context.Hint("There are no servers yet. Add one with: mcpsm add <name> --type http --url <url>");
            }
            else
            {
                var width = servers.Max(s => DisplayWidth.Measure(s.Name));
                foreach (var server in servers)
                {
                    context.Print($"  {server.Name.PadColumns(width)}  {(server.Transport == McpTransport.Sse ? "sse " : "http")}  {UntrustedText.Sanitize(server.Url)}");
                }
            }
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    private static Command Remove(CommandContext context)
    {
        var id = new Argument<string>("server") { Description = "Its id, name or URL" };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        var command = new Command("remove", "Remove a server and its credentials") { id, yes };
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            var server = context.Catalog.Get(parsed.GetValue(id)!);
            if (!parsed.GetValue(yes) && !await context.Interaction.ConfirmAsync(
                $"Remove '{server.Name}' and its credentials?", NextCommand.For("remove", server.Id, "--yes"), cancellationToken).ConfigureAwait(false))
            {
                context.Hint("Nothing was removed.");
                return ExitCode.Failed;
            }
            var result = await context.Authenticator.RemoveServerAsync(server, cancellationToken).ConfigureAwait(false);
            context.Succeed($"Server '{server.Name}' removed.");
            AuthCommands.WarnOfRevocation(context, result.RevocationFailure);
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Test(CommandContext context)
    {
        var id = new Argument<string?>("server") { Description = "Its id, name or URL; all servers where absent", Arity = ArgumentArity.ZeroOrOne };
        var json = new Option<bool>("--json") { Description = "Print one JSON array" };
        var timeout = new Option<int?>("--timeout") { Description = "Seconds to wait (30)", HelpName = "seconds" };
        LoginOptions.RequireSeconds(timeout);
        var throttle = LoginOptions.ThrottleLimit(32);
        var command = new Command("test", "Connect to servers as an MCP client does") { id, json, timeout, throttle };
        command.SetReadAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            IReadOnlyList<McpServer> servers = parsed.GetValue(id) is { } one ? [context.Catalog.Get(one)] : context.Catalog.List();
            var limit = TimeSpan.FromSeconds(parsed.GetValue(timeout) ?? 30);
            var results = new Core.McpTestResult[servers.Count];
            await CommandContext.ForEachAsync(servers.Index(), parsed.GetValue(throttle), cancellationToken, async (numbered, cancel) =>
            {
                var (number, server) = numbered;
                var result = results[number] = await context.Authenticator.TestAsync(server, limit, cancel).ConfigureAwait(false);
                if (!parsed.GetValue(json))
                {
                    using var _ = context.Writing.EnterScope();
                    context.Print($"Testing {server.Name}... ", Given(result));
                    if (result.Remedy is { } remedy)
                    {
                        context.Hint($"  {remedy}");
                    }
                }
            }).ConfigureAwait(false);
            if (parsed.GetValue(json))
            {
                JsonOutput.Array(context.Console.Out, results, JsonOutput.Test);
            }
            else if (servers.Count == 0)
            {
                context.Hint("There are no servers yet. Add one with: mcpsm add <name> --type http --url <url>");
            }
            return results.All(r => r.Success) ? ExitCode.Done : ExitCode.Failed;
        }));
        return command;
    }

    private static string Given(Core.McpTestResult result) => result.Success
        ? $"{StatusText.SuccessSymbol} OK ({result.ServerName} {result.ServerVersion}, protocol {result.ProtocolVersion}, {result.ToolCount} tool{(result.ToolCount == 1 ? "" : "s")}, {result.Latency!.Value.TotalMilliseconds:0} ms)"
        : $"{StatusText.FailureSymbol} Failed ({(result.StatusCode is { } status and >= 400 ? McpSm.Core.Discovery.ChallengeProbe.DescribeStatus(status) : result.Error!.TrimEnd('.'))})";
}
