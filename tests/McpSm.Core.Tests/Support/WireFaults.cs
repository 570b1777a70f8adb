using System.IO.Compression;
using System.Text;
using McpSm.TestServers;

namespace McpSm.Core.Tests.Support;

/// <summary>Transport faults that replace a response of status 200 with a given JSON body.</summary>
public static class WireFaults
{
    /// <summary>Faults that end only by a timeout.</summary>
    public static readonly IReadOnlyList<string> Endless = ["silence", "a byte now and then", "a header without end", "1xx without end"];

    private static readonly TimeSpan NowAndThen = TimeSpan.FromMilliseconds(100);

    /// <summary>Starts a server that answers every request with the fault.</summary>
    public static RawServer Start(string fault, string json) => fault switch
    {
        "silence" => RawServer.Hanging(),
        "a byte now and then" => RawServer.Dripping(new string(' ', 2000) + json, NowAndThen),
        "a header without end" => RawServer.Repeating("HTTP/1.1 200 OK\r\nX-Long: ", "x", NowAndThen),
        "1xx without end" => RawServer.Repeating("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", TimeSpan.FromMilliseconds(20)),
        "a body without end" => RawServer.Repeating("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", $"1000\r\n{new string(' ', 4096)}\r\n"),
        "5 MB" => RawServer.LargeJson(),
        "the end of the connection" => RawServer.ClosingMidBody(),
        "a reset" => RawServer.ResettingMidBody(),
        "no http" => RawServer.Answering("SSH-2.0-OpenSSH_9.2\r\n"),
        "100 KB of headers" => Answering("200 OK", json, $"WWW-Authenticate: Bearer scope=\"{new string('s', 100_000)}\""),
        "10,000 cookies" => Answering("200 OK", json, [.. Enumerable.Range(0, 10_000).Select(i => $"Set-Cookie: c{i}={i}")]),
        "a gzip bomb" => Answering("200 OK", Gzip(Encoding.ASCII.GetBytes(new string(' ', 100_000_000))), "Content-Encoding: gzip"),
        "gzip that was not requested" => Answering("200 OK", Gzip(Encoding.UTF8.GetBytes(json)), "Content-Encoding: gzip"),
        "a redirect to itself" => Answering("307 Temporary Redirect", "", "Location: /again"),
        "a redirect to a script" => Answering("302 Found", "", "Location: javascript:alert(1)"),
        "a redirect to nowhere" => Answering("302 Found", ""),
        "another protocol" => Answering("101 Switching Protocols", "", "Upgrade: websocket"),
        "nothing" => Answering("200 OK", ""),
        "no content" => Answering("204 No Content", ""),
        "a web page" => Answering("200 OK", "<!doctype html><title>Busy</title>", "Content-Type: text/html"),
        "JSON of a million levels" => Answering("200 OK", new string('[', 1_000_000)),
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, null),
    };

    public static RawServer Answering(string status, string body, params string[] headers) =>
        Answering(status, Encoding.UTF8.GetBytes(body), headers);

    private static RawServer Answering(string status, byte[] body, params string[] headers)
    {
        var length = status.StartsWith("101", StringComparison.Ordinal) ? [] : new[] { $"Content-Length: {body.Length}" };
        var head = string.Join("\r\n", [$"HTTP/1.1 {status}", .. headers, .. length, "Connection: close"]) + "\r\n\r\n";
        return RawServer.Answering([.. Encoding.Latin1.GetBytes(head), .. body]);
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }
        return packed.ToArray();
    }
}
