using System.Text.Json.Serialization;

namespace McpSm.Bench;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(Document))]
internal sealed partial class ReportJson : JsonSerializerContext;
