using McpSm.Commands.Output;
using McpSm.Commands.Tests.Support;
using Xunit;

namespace McpSm.Commands.Tests.Output;

/// <summary>Tests that columns stay aligned with names in any script.</summary>
public sealed class DisplayWidthTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("my-api", 6)]
    [InlineData("日本語", 6)]
    [InlineData("한국", 4)]
    [InlineData("ｗｉｄｅ", 8)]
    [InlineData("café", 4)]
    [InlineData("cafe\u0301", 4)]
    [InlineData("ไทย", 3)]
    [InlineData("ที่", 1)]
    [InlineData("عربي", 4)]
    [InlineData("🚀", 2)]
    [InlineData("👩‍👩‍👧", 2)]
    [InlineData("🇩🇪", 2)]
    [InlineData("❤️", 2)]
    [InlineData("a\u200bb", 2)]
    [InlineData("𠀀", 2)]
    public void Text_width_equals_the_columns_that_a_terminal_draws(string text, int columns)
    {
        Assert.Equal(columns, DisplayWidth.Measure(text));
        Assert.Equal(Math.Max(columns, 10), DisplayWidth.Measure(text.PadColumns(10)));
    }

    [Fact]
    public async Task Lists_with_wide_names_stay_aligned()
    {
        using var mcpsm = new InProcessCli();
        string[] names = ["plain", "日本語サーバー", "rocket 🚀", "cafe\u0301", "a name that is longer than sixteen columns"];
        foreach (var (name, number) in names.Select((n, i) => (n, i)))
        {
            await mcpsm.AddAsync(new Uri($"https://s{number}.example/mcp"), name);
        }
        var listed = (await mcpsm.RunAsync("list")).Done().Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Single(listed.Select(l => DisplayWidth.Measure(l[..l.IndexOf("http", StringComparison.Ordinal)])).Distinct());
        var status = (await mcpsm.RunAsync("auth status")).Out.Split('\n')
            .Where(l => l.Contains("Not authenticated") || l.Contains('?') || l.Contains('○')).ToList();
        Assert.Equal(5, status.Count);
        Assert.Single(status.Select(l => DisplayWidth.Measure(l[..l.IndexOfAny(['✘', '?', '○'])])).Distinct());
    }
}
