using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>The responses of OAuth endpoints other than redirects.</summary>
internal static class HttpResponses
{
    /// <summary>Writes a JSON response that must not be cached (RFC 6749 section 5.1).</summary>
    public static Task WriteJsonAsync(this HttpResponse response, int status, JsonObject body)
    {
        var bytes = Encoding.UTF8.GetBytes(body.ToJsonString());
        response.StatusCode = status;
        response.ContentType = "application/json";
        response.ContentLength = bytes.Length;
        response.Headers.CacheControl = "no-store";
        return response.Body.WriteAsync(bytes).AsTask();
    }

    /// <summary>Returns a JSON array of strings.</summary>
    public static JsonArray ToJsonArray(this IEnumerable<string> values) =>
        new([.. values.Select(v => (JsonNode)v)]);
}
