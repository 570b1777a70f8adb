using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace McpSm.TestServers;

/// <summary>Reads one HTTP/1.1 request from a connection.</summary>
internal static class RawRequest
{
    /// <summary>Returns head and body as text; null if the client closed the connection before the end.</summary>
    public static async Task<string?> ReadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!IsWhole(text.ToString()))
        {
            var read = await stream.ReadAsync(buffer, cancellationToken);
            if (read == 0)
            {
                return null;
            }

            // Latin-1 has one byte a character, so lengths in bytes are lengths in characters.
            text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        return Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(text.ToString()));
    }

    private static bool IsWhole(string text)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
        {
            return false;
        }

        var (head, body) = (text[..end], text[(end + 4)..]);
        if (Header(head, "Transfer-Encoding") is not null)
        {
            return body.EndsWith("0\r\n\r\n", StringComparison.Ordinal);
        }

        return Header(head, "Content-Length") is not { } length
            || body.Length >= int.Parse(length, CultureInfo.InvariantCulture);
    }

    private static string? Header(string head, string name) => head
        .Split("\r\n")
        .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
        .Select(line => line[(name.Length + 1)..].Trim())
        .FirstOrDefault();
}
