using System.Management.Automation;
using System.Text.Json.Nodes;
using McpSm.PowerShell.Tests.Support;
using Xunit;

namespace McpSm.PowerShell.Tests.Cmdlets;

[Collection(SerialCollection.Name)]
public sealed class InvokeMcpsmTests
{
    [Fact]
    public void Arguments_arrive_as_typed_and_output_goes_to_the_pipeline()
    {
        using var session = new ModuleSession();
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
    public void Errors_are_lines_of_the_error_stream_like_a_native_command()
    {
        using var session = new ModuleSession();
        Assert.Empty(session.Run("mcpsm auth token nosuch"));
        Assert.Equal(["NativeCommandError", "NativeCommandErrorMessage"], session.Errors.Select(e => e.FullyQualifiedErrorId));
        Assert.Contains("The server 'nosuch' was not found", session.Errors[0].ToString());
        Assert.IsType<RemoteException>(session.Errors[0].Exception);
        Assert.Equal("1", session.Text("$LASTEXITCODE"));
        Assert.Equal("0", session.Text("$Error.Count"));
    }

    [Theory]
    [InlineData("mcpsm list; $?", "True")]
    [InlineData("mcpsm auth token nosuch; $?", "False")]
    [InlineData("mcpsm nosuch; $?", "False")]
    [InlineData("mcpsm list && 'next'", "next")]
    [InlineData("mcpsm nosuch && 'next'", "")]
    [InlineData("mcpsm nosuch || 'next'", "next")]
    [InlineData("'x' | mcpsm auth set nosuch -; $?", "False")]
    [InlineData("$ErrorActionPreference = 'Stop'; mcpsm nosuch; 'next'", "next")]
    [InlineData("Set-StrictMode -Version Latest; mcpsm nosuch 2>$null; $?", "False")]
    public void Success_variable_follows_the_exit_code(string script, string expected)
    {
        using var session = new ModuleSession();
        Assert.Equal(expected, session.Text(script));
    }

    [Fact]
    public void Native_error_preference_makes_a_failure_an_error()
    {
        using var session = new ModuleSession();
        Assert.Equal("ProgramExitedWithNonZeroCode mcpsm 2", session.Text("""
            $ErrorActionPreference = 'Stop'
            $PSNativeCommandUseErrorActionPreference = $true
            try { mcpsm nosuch } catch { "$($_.FullyQualifiedErrorId) $($_.TargetObject) $LASTEXITCODE" }
            """));
    }

    [Fact]
    public void Empty_pipeline_is_closed_standard_input()
    {
        using var session = new ModuleSession();
        session.Run("mcpsm add my-api -t http -u https://a.example/mcp");
        session.Host.Typed.Enqueue("typed-token");
        Assert.Equal("4", session.Text("@() | mcpsm auth set my-api -; $LASTEXITCODE"));
        Assert.Single(session.Host.Typed);
    }

    [Theory]
    [InlineData("$WhatIfPreference = $true; mcpsm remove my-api")]
    [InlineData("$WhatIfPreference = $true; Invoke-Mcpsm remove my-api -y")]
    [InlineData("function f { $WhatIfPreference = $true; mcpsm server update my-api --url https://b.example/mcp }; f")]
    [InlineData("function f { $WhatIfPreference = $true; 'secret' | Invoke-Mcpsm auth set my-api - }; f")]
    [InlineData("$WhatIfPreference = $true; $ConfirmPreference = 'Low'; mcpsm auth revoke my-api")]
    public void WhatIfPreference_of_the_caller_prevents_a_change(string script)
    {
        using var session = new ModuleSession();
        session.Run("mcpsm add my-api -t http -u https://a.example/mcp");
        var before = File.ReadAllText(Path.Combine(session.Folder, "config.json"));
        Assert.Empty(session.Run(script));
        Assert.Empty(session.Errors);
        Assert.StartsWith("What if: ", Assert.Single(session.Host.Lines));
        Assert.Contains("my-api", session.Host.Lines[0]);
        Assert.DoesNotContain("secret", session.Host.Lines[0]);
        Assert.Equal(before, File.ReadAllText(Path.Combine(session.Folder, "config.json")));
        Assert.Equal("0", session.Text("$LASTEXITCODE"));
    }

    [Fact]
    public void Prompts_are_answered_at_the_host()
    {
        using var session = new ModuleSession();
        session.Run("mcpsm add my-api -t http -u https://a.example/mcp");
        session.Host.Typed.Enqueue("n");
        Assert.Equal("1", session.Text("mcpsm remove my-api; $LASTEXITCODE"));
        session.Host.Typed.Enqueue("y");
        Assert.EndsWith("0", session.Text("mcpsm remove my-api; $LASTEXITCODE"));
        Assert.Empty(session.Run("Get-McpServer"));
    }
}
