using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace McpSm.ConformanceClient;

/// <summary>An MCP client over stdio that starts <c>mcpsm proxy</c>, and uses everything that the server of a scenario offers.</summary>
/// <param name="context">The data of the scenario as JSON; null if it has none.</param>
internal sealed class RelayRun(string scenario, string? context)
{
    public async Task RunAsync(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> variables)
    {
        var transport = new StdioClientTransport(new StdioClientTransportOptions
        {
            Command = command[0],
            Arguments = [.. command.Skip(1)],
            EnvironmentVariables = variables.ToDictionary(variable => variable.Key, variable => (string?)variable.Value),
            StandardErrorLines = Console.Error.WriteLine,
        });
        await using var client = await McpClient.CreateAsync(transport, new McpClientOptions
        {
            ClientInfo = new Implementation { Name = "conformance-relay", Version = "1.0.0" },
            ProtocolVersion = Environment.GetEnvironmentVariable("MCP_CONFORMANCE_PROTOCOL_VERSION"),
            Handlers = new McpClientHandlers
            {
                // The SDK adds the defaults of the schema.
                ElicitationHandler = (_, _) => ValueTask.FromResult(new ElicitResult { Action = "accept", Content = new Dictionary<string, JsonElement>() }),
            },
        });
        if (scenario.StartsWith("sep-2640", StringComparison.Ordinal))
        {
            await LoadSkillsAsync(client);
            return;
        }
        if (scenario == "json-schema-ref-no-deref")
        {
            // The server of this scenario has a list of tools only.
            await client.ListToolsAsync();
            return;
        }
        await CallToolsAsync(client);
        if (client.ServerCapabilities.Resources is not null)
        {
            foreach (var resource in await client.ListResourcesAsync())
            {
                await client.ReadResourceAsync(resource.Uri);
            }
        }
        if (client.ServerCapabilities.Prompts is not null)
        {
            foreach (var prompt in await client.ListPromptsAsync())
            {
                await client.GetPromptAsync(prompt.Name, prompt.ProtocolPrompt.Arguments?.ToDictionary(argument => argument.Name, _ => (object?)"text"));
            }
        }
    }

    private async Task CallToolsAsync(McpClient client)
    {
        var tools = await client.ListToolsAsync();
        if (context is not null && JsonNode.Parse(context)?["toolCalls"] is JsonArray calls)
        {
            foreach (var call in calls)
            {
                await client.CallToolAsync((string)call!["name"]!,
                    call["arguments"]!.AsObject().ToDictionary(argument => argument.Key, argument => (object?)argument.Value));
            }
            return;
        }
        foreach (var tool in tools)
        {
            var first = tools[0].JsonSchema;
            await client.CallToolAsync(tool.Name, tool.JsonSchema.TryGetProperty("properties", out var properties)
                ? properties.EnumerateObject().ToDictionary(property => property.Name, property => (object?)Argument(property, first)) : []);
        }
    }

    /// <summary>An argument that fits. A tool that wants a schema gets the one of the first tool, as the client received it.</summary>
    private static object Argument(JsonProperty property, JsonElement schema) => property.Value.TryGetProperty("type", out var type) ? type.ToString() switch
    {
        "number" or "integer" => 1,
        "boolean" => true,
        "object" when property.Name == "schema" => schema,
        "object" => new JsonObject(),
        "array" => new JsonArray(),
        _ => "text",
    } : "text";

    /// <summary>Loads skills as a host does: it stops at the first file that is not as the entry describes it. All scenarios serve such a file.</summary>
    private async Task LoadSkillsAsync(McpClient client)
    {
        var answer = await client.SendRequestAsync(new JsonRpcRequest { Method = "skills/list", Params = new JsonObject() });
        if (scenario == "sep-2640-client-no-prefetch")
        {
            return;
        }
        foreach (var skill in answer.Result!["skills"]!.AsArray())
        {
            foreach (var file in skill!["resources"]!.AsArray())
            {
                var uri = (string)file!["uri"]!;
                var text = (await client.ReadResourceAsync(uri)).Contents.OfType<TextResourceContents>().Single().Text;
                if (!IsDescribed(text, file) || (uri == (string?)skill["uri"] && !HasFrontmatter(text, skill["frontmatter"]!.AsObject())))
                {
                    Console.Error.WriteLine($"Refused as it should be: {uri}");
                    return;
                }
            }
        }
        throw new InvalidDataException("Every file of a skill was accepted, and one was to be refused.");
    }

    private static bool IsDescribed(string text, JsonNode file)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return bytes.Length == (int)file["size"]! && "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes)) == (string?)file["digest"];
    }

    private static bool HasFrontmatter(string text, JsonObject frontmatter) =>
        frontmatter.All(member => text.Contains($"{member.Key}: {member.Value}\n", StringComparison.Ordinal));
}
