using Microsoft.AspNetCore.Http;

namespace McpSm.TestServers.Entra;

/// <summary>An error response of Entra ID.</summary>
internal sealed class EntraException(string error, string description, int status = StatusCodes.Status400BadRequest, string? suberror = null) : Exception
{
    public int Status => status;

    public Dictionary<string, object?> Body => new()
    {
        ["error"] = error,
        ["error_description"] = description,
        ["error_codes"] = new[] { 50173 },
        ["suberror"] = suberror,
        ["correlation_id"] = Guid.NewGuid().ToString(),
    };
}
