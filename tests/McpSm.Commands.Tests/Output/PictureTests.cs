using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Output;

/// <summary>
/// The picture of the README: a real run of the commands, drawn as a terminal. Addresses, values in the URL and milliseconds are
/// replaced, because they differ from run to run. MCPSM_DRAW=1 draws the picture again.
/// </summary>
public sealed partial class PictureTests
{
    private const int LineHeight = 20;
    private const int Columns = 88;

    private static readonly string Picture = Path.Combine(Repository.Root, "docs", "picture.svg");

    [Fact]
    public async Task Picture_shows_what_the_commands_print()
    {
        var drawn = Draw(await RunAsync());
        if (Environment.GetEnvironmentVariable("MCPSM_DRAW") == "1")
        {
            await File.WriteAllTextAsync(Picture, drawn, Cancellation);
        }
        Assert.Equal(drawn, (await File.ReadAllTextAsync(Picture, Cancellation)).ReplaceLineEndings("\n"));
    }

    private static async Task<List<string>> RunAsync()
    {
        await using var issuer = await AuthorizationServer.StartAsync();
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var mcpsm = new CliProcess();
        mcpsm.Variables["MCPSM_VAULT"] = "file";
        mcpsm.Variables["MCPSM_CALLBACK_PORT"] = "0";
        var lines = new List<string>();
        foreach (var command in new[] { $"add my-api --type http --url {server.McpUrl}", "auth login my-api --no-browser", "auth status", "test my-api",
            "auth logout my-api --force" })
        {
            var ended = (await mcpsm.RunAsync(command)).Done();
            // Standard error comes first: its lines precede the result.
            lines.AddRange([$"$ mcpsm {command}", .. (ended.Error + ended.Out).Trim('\n').Split('\n').Select(l => l.TrimEnd('\r')), ""]);
        }
        return [.. lines.SkipLast(1).Select(l => AsEverytime(l, server.McpUrl.Authority, new Uri(issuer.Issuer).Authority))];
    }

    private static string AsEverytime(string line, string server, string issuer)
    {
        line = line.Replace(server, "mcp.example.com").Replace(issuer, "login.example.com").Replace("http://", "https://");
        line = Query().Replace(line, "?response_type=code&client_id=…&resource=…");
        line = Lifetime().Replace(line, "in 59 min");
        return Milliseconds().Replace(line, "83 ms");
    }

    private static string Draw(List<string> lines)
    {
        const int width = (Columns * 8) + 48;
        var height = (lines.Count * LineHeight) + 64;
        var svg = new StringBuilder();
        // A background makes the picture readable on light and dark pages.
        svg.Append($$"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{width}} {{height}}" width="{{width}}" height="{{height}}" role="img">
            <title>Adding a server, signing in, status, a test and signing out with mcpsm</title>
            <style>
            text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #c9d1d9; white-space: pre }
            .typed { fill: #ffffff; font-weight: bold } .good { fill: #3fb950 } .bad { fill: #f85149 }
            </style>
            <rect x="0.5" y="0.5" width="{{width - 1}}" height="{{height - 1}}" rx="8" fill="#161b22" stroke="#6e7681"/>
            <circle cx="20" cy="18" r="5" fill="#6e7681"/><circle cx="36" cy="18" r="5" fill="#6e7681"/><circle cx="52" cy="18" r="5" fill="#6e7681"/>

            """.ReplaceLineEndings("\n"));
        for (var i = 0; i < lines.Count; i++)
        {
            Assert.True(lines[i].Length <= Columns, $"Wider than the picture: {lines[i]}");
            if (lines[i].Length == 0)
            {
                continue;
            }
            var text = WebUtility.HtmlEncode(lines[i]).Replace("&#39;", "'").Replace("✔", "<tspan class=\"good\">✔</tspan>")
                .Replace("✘", "<tspan class=\"bad\">✘</tspan>");
            var look = lines[i].StartsWith("$ ", StringComparison.Ordinal) ? " class=\"typed\"" : "";
            svg.Append($"<text x=\"24\" y=\"{52 + (i * LineHeight)}\"{look} xml:space=\"preserve\">{text}</text>\n");
        }
        return svg.Append("</svg>\n").ToString();
    }

    [GeneratedRegex(@"\?response_type=code&\S+")]
    private static partial Regex Query();

    [GeneratedRegex(@"in (59|60) min")]
    private static partial Regex Lifetime();

    [GeneratedRegex(@"\d+ ms")]
    private static partial Regex Milliseconds();
}
