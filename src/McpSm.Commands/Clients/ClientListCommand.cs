using System.CommandLine;
using System.Text.Json;
using McpSm.Clients.Catalog;
using McpSm.Clients.Entries;
using McpSm.Clients.Management;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Output;
using McpSm.Core.Errors;

namespace McpSm.Commands.Clients;

/// <summary><c>client list</c>: lists the MCP clients of this machine, their files, and the servers in them.</summary>
internal sealed class ClientListCommand : McpsmSubcommand
{
    private readonly Option<bool> _json = CreateJsonOption();
    private readonly Option<bool> _known = new("--known") { Description = "List the ids of all clients that Mcpsm knows" };

    public ClientListCommand(CommandContext context) : base(context, "list", "List the MCP clients and their servers")
    {
        Add(_json);
        Add(_known);
        Examples = ["mcpsm client list", "mcpsm client list --json"];
    }

    public static Option<bool> CreateJsonOption() => new("--json") { Description = "Print a JSON array" };

    public override bool Changes(ParseResult parsed) => false;

    protected override Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(_known))
        {
            PrintKnown(parsed.GetValue(_json));
            return Task.FromResult(ExitCode.Done);
        }
        return PrintAsync(parsed.GetValue(_json), Context);
    }

    public static Task<int> PrintAsync(bool asJson, CommandContext context)
    {
        var locator = ClientLocator.Create(context.AppEnvironment, context.Console.CurrentFolder);
        var found = new ClientConfiguration(context.AppEnvironment, locator).List();
        if (asJson)
        {
            JsonOutput.Array(context.Console.Out, found, WriteStatus);
            return Task.FromResult(ExitCode.Done);
        }
        foreach (var status in found)
        {
            Print(status, context);
        }
        if (found.Count == 0)
        {
            context.Hint("No MCP client was found on this machine.");
        }
        return Task.FromResult(ExitCode.Done);
    }

    private void PrintKnown(bool asJson)
    {
        if (asJson)
        {
            JsonOutput.Array(Context.Console.Out, ClientCatalog.Clients, (json, client) =>
            {
                json.WriteString("client", client.Id);
                json.WriteString("title", client.Title);
            });
            return;
        }
        var width = ClientCatalog.Clients.Max(client => client.Id.Length);
        foreach (var client in ClientCatalog.Clients)
        {
            Context.Print($"  {client.Id.PadRight(width)}  {client.Title}");
        }
    }

    private static void Print(ClientStatus status, CommandContext context)
    {
        context.Print($"{status.Client.Title} ({status.Client.Id}): {status.Location.Path}{(status.Exists ? "" : " (no file yet)")}");
        if (status.Error is { } error)
        {
            context.Warn(error.Message);
        }
        var width = status.Servers.Select(server => DisplayWidth.Measure(UntrustedText.Sanitize(server.Name))).DefaultIfEmpty().Max();
        foreach (var server in status.Servers)
        {
            context.Print($"    {UntrustedText.Sanitize(server.Name).PadColumns(width)}  {Describe(server)}");
        }
    }

    private static string Describe(ClientEntry entry) => entry.Kind switch
    {
        EntryKind.Relay => $"'{UntrustedText.Sanitize(entry.Server)}' through mcpsm",
        EntryKind.Helper => $"'{UntrustedText.Sanitize(entry.Server)}' with headers from mcpsm",
        EntryKind.McpRemote => $"remote through mcp-remote, {ShowUrl(entry)}{ShowSecret(entry)}",
        EntryKind.Remote => $"remote, {ShowUrl(entry)}{ShowSecret(entry)}",
        EntryKind.Program => "local program",
        _ => "unknown form",
    };

    private static string ShowSecret(ClientEntry entry) => entry.HasPlaintextSecret ? ", with a secret in plain text" : "";

    // A query or a user in the URL may be a secret.
    private static string? ShowUrl(ClientEntry entry) => Uri.TryCreate(entry.Url, UriKind.Absolute, out var uri)
        ? UntrustedText.Sanitize(uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped)) : null;

    private static void WriteStatus(Utf8JsonWriter json, ClientStatus status)
    {
        json.WriteString("client", status.Client.Id);
        json.WriteString("title", status.Client.Title);
        json.WriteBoolean("installed", status.IsInstalled);
        json.WriteString("scope", status.Location.Scope == ClientScope.User ? "user" : "project");
        json.WriteString("file", status.Location.Path);
        json.WriteBoolean("exists", status.Exists);
        if (status.Error is { } error)
        {
            json.WriteString("error", error.Message);
        }
        json.WriteStartArray("servers");
        foreach (var server in status.Servers)
        {
            json.WriteStartObject();
            json.WriteString("name", UntrustedText.Sanitize(server.Name));
            json.WriteString("kind", KindOf(server.Kind));
            if (server.Server is { } id)
            {
                json.WriteString("server", UntrustedText.Sanitize(id));
            }
            if (ShowUrl(server) is { } url)
            {
                json.WriteString("url", url);
            }
            json.WriteBoolean("plaintextSecret", server.HasPlaintextSecret);
            json.WriteNumber("line", server.Line);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static string KindOf(EntryKind kind) => kind switch
    {
        EntryKind.Relay => "relay",
        EntryKind.Helper => "helper",
        EntryKind.McpRemote => "mcp-remote",
        EntryKind.Remote => "remote",
        EntryKind.Program => "program",
        _ => "unknown",
    };
}
