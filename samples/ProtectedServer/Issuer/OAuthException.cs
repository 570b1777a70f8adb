using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>An error response of RFC 6749 or one of its extensions.</summary>
internal sealed class OAuthException(string error, string description, int status = StatusCodes.Status400BadRequest)
    : Exception($"{error}: {description}")
{
    public string Error { get; } = error;

    public string Description { get; } = description;

    public int Status { get; } = status;

    public JsonObject ToJson() => new() { ["error"] = Error, ["error_description"] = Description };
}
