using System.Text.Json.Nodes;
using Xunit;

namespace McpSm.PowerShell.Tests;

[Collection(OneAtATime.Name)]
public sealed class InvokeMcpsmTests
{
    [Fact]
    public void Words_arrive_as_typed_and_output_goes_down_the_pipeline()
    {
        using var session = new Session();
        session.Run("mcpsm add my-api -t http -u https://a.example/mcp --scope a,b --header X-One=1");
        Assert.Equal("0", session.Text("$LASTEXITCODE"));
        var listed = JsonNode.Parse(session.Text("mcpsm list --json"))![0]!;
        Assert.Equal(["a", "b"], listed["scopes"]!.AsArray().Select(s => (string?)s));
        Assert.Equal("0", session.Text("'piped-token' | mcpsm auth set my-api - | ForEach-Object { }; $LASTEXITCODE"));
        Assert.Equal("piped-token", session.Text("mcpsm auth token my-api"));
        Assert.Equal("0", session.Text("mcpsm remove my-api -y | ForEach-Object { }; $LASTEXITCODE"));
        Assert.Equal("0", session.Text("mcpsm list -v; $LASTEXITCODE"));
        foreach (var word in new[] { "-e", "-o", "-f" })
        {
            Assert.Equal("2", session.Text($"mcpsm list {word}; $LASTEXITCODE"));
        }
        Assert.Contains("Commands:", session.Text("mcpsm -h"));
    }

    [Fact]
    public void Errors_reach_the_person_and_the_exit_code_not_the_pipeline()
    {
        using var session = new Session();
        Assert.Empty(session.Run("mcpsm auth token nosuch"));
        Assert.Equal("1", session.Text("$LASTEXITCODE"));
        Assert.Contains(session.Host.Lines, l => l.Contains("There is no server 'nosuch'"));
    }

    [Fact]
    public void Prompts_are_answered_at_the_host()
    {
        using var session = new Session();
        session.Run("mcpsm add my-api -t http -u https://a.example/mcp");
        session.Host.Typed.Enqueue("n");
        Assert.Equal("1", session.Text("mcpsm remove my-api; $LASTEXITCODE"));
        session.Host.Typed.Enqueue("y");
        Assert.EndsWith("0", session.Text("mcpsm remove my-api; $LASTEXITCODE"));
        Assert.Empty(session.Run("Get-McpServer"));
    }
}
