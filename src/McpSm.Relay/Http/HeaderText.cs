using System.Text;

namespace McpSm.Relay.Http;

/// <summary>Values of the <c>Mcp-Name</c> and <c>Mcp-Param-*</c> headers (MCP 2026-07-28, Streamable HTTP, Value Encoding).</summary>
internal static class HeaderText
{
    private const string Prefix = "=?base64?";
    private const string Suffix = "?=";

    /// <summary>Encodes a value that is not plain ASCII, has spaces at its ends or control characters, or looks encoded already.</summary>
    public static string Encode(string value)
    {
        var isPlain = value.Length > 0 && value.All(c => c is >= ' ' and <= '~') && value[0] != ' ' && value[^1] != ' '
            && !(value.StartsWith(Prefix, StringComparison.Ordinal) && value.EndsWith(Suffix, StringComparison.Ordinal));
        return isPlain || value.Length == 0 ? value : Prefix + Convert.ToBase64String(Encoding.UTF8.GetBytes(value)) + Suffix;
    }
}
