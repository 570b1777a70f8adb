using System.Text.Json.Serialization;

namespace McpSm.Clients.Undo;

[JsonSourceGenerationOptions(WriteIndented = true, NewLine = "\n")]
[JsonSerializable(typeof(UndoRecord))]
internal sealed partial class UndoJsonContext : JsonSerializerContext;
