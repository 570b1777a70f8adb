using System.Management.Automation;
using System.Reflection;
using McpSm.PowerShell.Tests.Support;
using Xunit;

namespace McpSm.PowerShell.Tests.Errors;

/// <summary>Tests that cause every error id with a cmdlet and with <c>mcpsm</c>.</summary>
[Collection(SerialCollection.Name)]
public sealed class ErrorTests
{
    public static TheoryData<string> Ids => [.. ErrorCase.All.Keys.Where(id => !ErrorCase.OutOfReach.ContainsKey(id))];

    /// <summary>The ids that a command of <c>mcpsm</c> can cause.</summary>
    public static TheoryData<string> CommandIds =>
        [.. ErrorCase.All.Where(r => r.Value.Command is not null && !ErrorCase.OutOfReach.ContainsKey(r.Key)).Select(r => r.Key)];

    [Fact]
    public void Every_error_id_is_in_the_table()
    {
        // The enum of the loaded module, not of the assembly that this test references.
        using var session = new ModuleSession();
        var core = session.Run("& (Get-Module Mcpsm) { [AppDomain]::CurrentDomain.GetAssemblies() | ForEach-Object { $_ } }")
            .Select(o => (Assembly)o.BaseObject).First(a => a.GetName().Name == "McpSm.Core" && a.GetType("McpSm.Core.Errors.ErrorReason") is not null);
        Assert.Equal(core.GetType("McpSm.Core.Errors.ErrorReason")!.GetEnumNames().Order(), ErrorCase.All.Keys.Order());
        Assert.All(ErrorCase.OutOfReach, o => Assert.Contains(o.Key, ErrorCase.All.Keys));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Failure_is_one_error_record_for_every_ErrorAction(string id)
    {
        var row = ErrorCase.All[id];
        await using var stage = await ErrorFixture.StartAsync();
        var session = stage.Session;
        session.Run("$global:token = $args[0]", ErrorFixture.Secure(new string('t', 64 * 1024)));

        row.Arrange(stage);
        Assert.Equal("went on", session.Text($"$null = {row.Line}; 'went on'"));
        var plain = Assert.Single(session.Errors);
        Check(plain);

        row.Arrange(stage);
        var caught = (ErrorRecord)session.Run($"try {{ $null = {row.Line} -ErrorAction Stop }} catch {{ $_ }}").Single().BaseObject;
        Check(caught);
        Assert.Equal(plain.FullyQualifiedErrorId, caught.FullyQualifiedErrorId);

        row.Arrange(stage);
        session.Host.Lines.Clear();
        var kept = session.Run($"$Error.Clear(); $null = {row.Line} -ErrorAction SilentlyContinue -ErrorVariable kept; $kept; $Error");
        Assert.Empty(session.Errors);
        Assert.Equal(2, kept.Count);
        Assert.All(kept, k => Check((ErrorRecord)k.BaseObject));
        Assert.DoesNotContain(session.Host.Lines, l => l.Contains(caught.ToString()));

        void Check(ErrorRecord error)
        {
            Assert.Equal(id, error.FullyQualifiedErrorId.Split(',')[0]);
            Assert.Equal(row.Category, error.CategoryInfo.Category);
            Assert.Equal(row.Target, error.TargetObject);
            Assert.False(string.IsNullOrEmpty(error.ErrorDetails?.RecommendedAction), $"The error has no recommended action: {error}");
        }
    }

    [Theory]
    [MemberData(nameof(CommandIds))]
    public async Task Failure_of_mcpsm_is_one_line_a_next_step_and_an_exit_code(string id)
    {
        var row = ErrorCase.All[id];
        await using var stage = await ErrorFixture.StartAsync();
        row.Arrange(stage);
        stage.Session.Host.Lines.Clear();
        // The host shows the error stream and follows the URL of a sign-in in it.
        Assert.Equal($"{row.ExitCode}", stage.Session.Text(
            $"mcpsm {row.Command} 2>&1 | "
            + "ForEach-Object { if ($_ -is [System.Management.Automation.ErrorRecord]) { $Host.UI.WriteErrorLine($_) } }; $LASTEXITCODE"));
        Assert.Empty(stage.Session.Errors);
        var lines = string.Join('\n', stage.Session.Host.Lines.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("✘ ", lines[^2]);
        Assert.StartsWith("  ", lines[^1]);
    }

    [Fact]
    public async Task Failing_server_in_a_pipeline_does_not_stop_the_others()
    {
        await using var stage = await ErrorFixture.StartAsync();
        var session = stage.Session;
        session.Run("Add-McpServer bad https://a.example/mcp; Set-McpToken my-api $args[0]; Add-McpServer z $args[1]; Set-McpToken z $args[0]",
            ErrorFixture.Secure("t"), stage.Server.McpUrl.AbsoluteUri);
        Assert.Equal("3", session.Text("(Get-McpServer).Count"));
        Assert.Equal("Bearer t,Bearer t",
            session.Text("""
                $servers = 'my-api', 'bad', 'nosuch', 'z' | ForEach-Object { [pscustomobject]@{ Name = $_ } }
                ($servers | Get-McpToken -AsHeader).Authorization -join ','
                """));
        Assert.Equal(["bad", "nosuch"], session.Errors.Select(e => e.TargetObject));
        Assert.Equal(["AuthenticationRequired", "ServerNotFound"], session.Errors.Select(e => e.FullyQualifiedErrorId.Split(',')[0]));
    }

    [Fact]
    public async Task Host_that_refuses_prompts_acts_like_closed_input()
    {
        await using var stage = await ErrorFixture.StartAsync();
        // The host of thread jobs, -Parallel and programs that embed PowerShell.
        using var shell = System.Management.Automation.PowerShell.Create(System.Management.Automation.Runspaces.InitialSessionState.CreateDefault2());
        shell.AddScript("Import-Module $args[0]; Connect-McpServer my-api -NoBrowser -CallbackPort 0 -TimeoutSec 2; Set-McpToken my-api")
            .AddArgument(ModuleSession.Module);
        Assert.Empty(shell.Invoke());
        Assert.Equal(["AuthenticationTimeout", "InteractionRequired"], shell.Streams.Error.Select(e => e.FullyQualifiedErrorId.Split(',')[0]));
    }

    [Fact]
    public async Task Unreadable_catalog_is_one_error_for_the_whole_pipeline()
    {
        await using var stage = await ErrorFixture.StartAsync();
        ErrorCase.All["ConfigurationCorrupt"].Arrange(stage);
        Assert.Empty(stage.Session.Run("'a', 'b', 'c' | Get-McpToken"));
        Assert.Single(stage.Session.Errors);
    }
}
