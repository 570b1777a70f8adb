using System.Buffers;
using System.Globalization;
using System.Text.Json;
using McpSm.Core.Files;
using McpSm.Relay.Messages;
using McpSm.Relay.Tools;

namespace McpSm.Relay.Channels;

/// <summary>
/// The arguments of tools that servers want in <c>Mcp-Param-*</c> headers (MCP 2026-07-28, Custom Headers from Tool Parameters). The schema of
/// a tool marks them with <c>x-mcp-header</c>.
/// </summary>
/// <param name="list">Asks the server for one page of its tools.</param>
internal sealed class ToolHeaders(Func<Message, CancellationToken, Task<byte[]?>> list)
{
    private const int MaxPages = 100;
    private const int HeaderMismatch = -32020;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, KnownTool> _tools = new(StringComparer.Ordinal);

    /// <summary>Whether a body is the error of a server that got other headers than its tool asks for.</summary>
    public static bool IsMismatch(byte[] body)
    {
        if (!Message.Parse(body).IsError)
        {
            return false;
        }
        using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 1000 });
        return json.RootElement.TryGetProperty("error"u8, out var error) && error.ValueKind == JsonValueKind.Object
            && error.TryGetProperty("code"u8, out var code) && code.ValueKind == JsonValueKind.Number
            && code.TryGetInt32(out var number) && number == HeaderMismatch;
    }

    /// <summary>Whether a request can be sent twice with the effect of one: it reads, or calls a tool that its server declared idempotent.</summary>
    public bool CanRepeat(Message request) => request.Method switch
    {
        "server/discover" or "tools/list" or "prompts/list" or "prompts/get" or "resources/list" or "resources/templates/list" or "resources/read"
            or "completion/complete" or "tasks/get" or "tasks/list" or "subscriptions/listen" => true,
        "tools/call" => request.Name is not null && Find(request.Name) is { IsIdempotent: true },
        _ => false,
    };

    /// <summary>The headers of a request, without their prefix; empty unless it calls a tool that wants some.</summary>
    /// <param name="request">The request.</param>
    /// <param name="refresh">Whether the tools are listed again.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task<IReadOnlyList<(string Name, string Value)>> ReadAsync(Message request, bool refresh, CancellationToken cancellationToken)
    {
        if (request is not { Method: "tools/call", Name: { } tool })
        {
            return [];
        }
        if (refresh || Find(tool) is null)
        {
            await ListAsync(request, cancellationToken).ConfigureAwait(false);
        }
        if (Find(tool)?.Headers is not { Count: > 0 } headers)
        {
            return [];
        }
        using var json = JsonDocument.Parse(request.Bytes, new JsonDocumentOptions { MaxDepth = 1000 });
        return !json.RootElement.GetProperty("params"u8).TryGetProperty("arguments"u8, out var arguments) ? []
            : [.. headers.Select(header => (header.Name, Value: header.Read(arguments))).Where(header => header.Value is not null)
                .Select(header => (header.Name, header.Value!))];
    }

    /// <summary>Takes tools with invalid marks out of the answer to <c>tools/list</c>, as the specification demands of clients over HTTP.</summary>
    /// <returns>The same bytes if all tools are valid.</returns>
    public ReadOnlyMemory<byte> Filter(Message request, ReadOnlyMemory<byte> answer)
    {
        if (request.Method != "tools/list" || Message.Parse(answer) is not { Kind: MessageKind.Response, IsError: false })
        {
            return answer;
        }
        return ToolList.Filter(answer, tool =>
        {
            using var json = JsonDocument.Parse(tool, new JsonDocumentOptions { MaxDepth = 1000 });
            return Learn(json.RootElement);
        });
    }

    /// <summary>Remembers the headers of a tool.</summary>
    /// <returns>Whether its marks are valid.</returns>
    private bool Learn(JsonElement tool)
    {
        if (!tool.TryGetProperty("name"u8, out var name) || name.TextOrNull() is not { } text)
        {
            return true;
        }
        var headers = tool.TryGetProperty("inputSchema"u8, out var schema) ? ToolHeader.ReadAll(schema) : [];
        lock (_gate)
        {
            _tools[text] = new KnownTool(headers ?? [], IsIdempotent(tool));
        }
        return headers is not null;
    }

    private static bool IsIdempotent(JsonElement tool) =>
        tool.TryGetProperty("annotations"u8, out var annotations) && annotations.ValueKind == JsonValueKind.Object
        && annotations.TryGetProperty("idempotentHint"u8, out var hint) && hint.ValueKind == JsonValueKind.True;

    private KnownTool? Find(string tool)
    {
        lock (_gate)
        {
            return _tools.GetValueOrDefault(tool);
        }
    }

    /// <summary>Lists all tools, in the name of a request of the client: with its <c>_meta</c>, under an id of the relay.</summary>
    private async Task ListAsync(Message request, CancellationToken cancellationToken)
    {
        string? cursor = null;
        for (var page = 1; page <= MaxPages; page++)
        {
            var ask = Message.Parse(CreateList(request, cursor, page));
            if (await list(ask, cancellationToken).ConfigureAwait(false) is not { } body)
            {
                return;
            }
            Filter(ask, body);
            if (Message.Parse(body) is not { Kind: MessageKind.Response, IsError: false })
            {
                return;
            }
            using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 1000 });
            cursor = json.RootElement.GetProperty("result"u8).TryGetProperty("nextCursor"u8, out var next) ? next.TextOrNull() : null;
            if (cursor is null)
            {
                return;
            }
        }
    }

    private static ReadOnlyMemory<byte> CreateList(Message request, string? cursor, int page)
    {
        using var json = JsonDocument.Parse(request.Bytes, new JsonDocumentOptions { MaxDepth = 1000 });
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("jsonrpc"u8, "2.0"u8);
            writer.WriteString("id"u8, string.Create(CultureInfo.InvariantCulture, $"mcpsm-tools-{page}"));
            writer.WriteString("method"u8, "tools/list"u8);
            writer.WriteStartObject("params"u8);
            if (json.RootElement.GetProperty("params"u8).TryGetProperty("_meta"u8, out var meta))
            {
                writer.WritePropertyName("_meta"u8);
                meta.WriteTo(writer);
            }
            if (cursor is not null)
            {
                writer.WriteString("cursor"u8, cursor);
            }
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        return buffer.WrittenMemory;
    }

    private sealed record KnownTool(IReadOnlyList<ToolHeader> Headers, bool IsIdempotent);
}
