using System.Management.Automation;
using System.Reflection;
using McpSm.PowerShell.Tests.Support;
using Xunit;

namespace McpSm.PowerShell.Tests.Help;

/// <summary>PowerShell's required and strongly encouraged guidelines, cmdlet by cmdlet.</summary>
[Collection(SerialCollection.Name)]
public sealed class GuidelineTests
{
    // What each is allowed to ask about: High asks by itself.
    private static readonly Dictionary<string, ConfirmImpact> Changes = new()
    {
        ["Add-McpServer"] = ConfirmImpact.Medium,
        ["Set-McpServer"] = ConfirmImpact.Medium,
        ["Remove-McpServer"] = ConfirmImpact.High,
        ["Connect-McpServer"] = ConfirmImpact.Medium,
        ["Disconnect-McpServer"] = ConfirmImpact.High,
        ["Set-McpToken"] = ConfirmImpact.Medium,
        ["Update-McpToken"] = ConfirmImpact.Medium,
        ["Clear-McpToken"] = ConfirmImpact.Medium,
        ["Remove-McpClientRegistration"] = ConfirmImpact.Medium,
        ["Deny-McpToken"] = ConfirmImpact.Medium,
        ["Set-McpVault"] = ConfirmImpact.Medium,
        ["Import-McpCredential"] = ConfirmImpact.Medium,
        ["Set-McpIdentityProvider"] = ConfirmImpact.Medium,
        ["Remove-McpIdentityProvider"] = ConfirmImpact.High,
        ["Connect-McpIdentityProvider"] = ConfirmImpact.Medium,
        ["Disconnect-McpIdentityProvider"] = ConfirmImpact.High,
    };

    private static readonly string[] OnlyLooks = ["Get-McpServer", "Get-McpAuthStatus", "Get-McpToken", "Get-McpVault", "Test-McpServer", "Get-McpIdentityProvider"];

    private static readonly HashSet<string> ApprovedVerbs = new[]
    {
        typeof(VerbsCommon), typeof(VerbsCommunications), typeof(VerbsData), typeof(VerbsDiagnostic), typeof(VerbsLifecycle), typeof(VerbsOther), typeof(VerbsSecurity),
    }.SelectMany(t => t.GetFields(BindingFlags.Public | BindingFlags.Static)).Select(f => (string)f.GetRawConstantValue()!).ToHashSet();

    public static TheoryData<string> Cmdlets => [.. Changes.Keys.Concat(OnlyLooks).Order()];

    private static CmdletInfo Info(ModuleSession session, string name) => (CmdletInfo)session.Run("Get-Command $args[0] -Module Mcpsm", name)[0].BaseObject;

    private static IEnumerable<CommandParameterInfo> Own(CommandParameterSetInfo set) => set.Parameters.Where(p => !Cmdlet.CommonParameters.Contains(p.Name));

    [Fact]
    public void Every_cmdlet_is_walked()
    {
        using var session = new ModuleSession();
        Assert.Equal(Changes.Keys.Concat(OnlyLooks).Order(), session.Run("(Get-Command -Module Mcpsm -CommandType Cmdlet).Name").Select(o => o.ToString()!).Order());
    }

    [Theory]
    [MemberData(nameof(Cmdlets))]
    public void Its_verb_is_approved_its_noun_singular_and_ours_and_it_has_an_address(string name)
    {
        using var session = new ModuleSession();
        var info = Info(session, name);
        Assert.Contains(info.Verb, ApprovedVerbs);
        Assert.StartsWith("Mcp", info.Noun);
        Assert.DoesNotMatch("[^su]s$", info.Noun);
        Assert.EndsWith($"/{name}.md", new CommandMetadata(info).HelpUri);
        Assert.StartsWith("https://", new CommandMetadata(info).HelpUri);
        Assert.All(info.Parameters.Keys, p => Assert.Matches("^[A-Z]", p));
    }

    [Theory]
    [MemberData(nameof(Cmdlets))]
    public void It_can_be_asked_beforehand_where_it_changes_something_and_asks_by_itself_where_that_cannot_be_undone(string name)
    {
        using var session = new ModuleSession();
        var metadata = new CommandMetadata(Info(session, name));
        Assert.Equal(Changes.ContainsKey(name), metadata.SupportsShouldProcess);
        if (Changes.TryGetValue(name, out var impact))
        {
            Assert.Equal(impact, metadata.ConfirmImpact);
            Assert.True(impact != ConfirmImpact.High || metadata.Parameters["Force"].ParameterType == typeof(SwitchParameter));
        }
    }

    [Theory]
    [MemberData(nameof(Cmdlets))]
    public void It_says_what_it_emits(string name)
    {
        using var session = new ModuleSession();
        var info = Info(session, name);
        // Nothing is left to emit of what was removed.
        Assert.Equal(info.Verb != "Remove", info.OutputType.Count > 0);
        Assert.All(info.OutputType, t => Assert.NotEqual(typeof(object), t.Type));
    }

    [Theory]
    [MemberData(nameof(Cmdlets))]
    public void Its_name_takes_wildcards_where_it_means_what_is_there(string name)
    {
        using var session = new ModuleSession();
        var info = Info(session, name);
        // One identity provider is set for all servers: it needs no name to be meant.
        Assert.Equal(info.Noun != "McpIdentityProvider", info.Parameters.TryGetValue("Name", out var parameter));
        if (parameter is null)
        {
            return;
        }
        // A new name is none, and one vault is chosen.
        var takes = name is not ("Add-McpServer" or "Set-McpVault");
        Assert.Equal(takes, parameter.Attributes.OfType<SupportsWildcardsAttribute>().Any());
        if (takes)
        {
            Assert.Empty(session.Run($"{name} nosuch*"));
            Assert.Empty(session.Errors.Select(e => e.ToString()));
            Assert.Empty(session.Host.Lines);
        }
    }

    [Theory]
    [InlineData("Get-McpIdentityProvider")]
    [InlineData("Disconnect-McpIdentityProvider")]
    [InlineData("Remove-McpIdentityProvider")]
    public void Where_no_identity_provider_is_set_there_is_nothing_to_show_and_nothing_to_end(string name)
    {
        using var session = new ModuleSession();
        Assert.Empty(session.Run(name));
        Assert.Empty(session.Errors.Select(e => e.ToString()));
        Assert.Empty(session.Host.Lines);
    }

    [Theory]
    [MemberData(nameof(Cmdlets))]
    public void Its_parameter_sets_can_be_told_apart(string name)
    {
        using var session = new ModuleSession();
        var sets = Info(session, name).ParameterSets;
        Assert.True(sets.Count == 1 || sets.Count(s => s.IsDefault) == 1, "one set is the default");
        foreach (var (set, other) in sets.SelectMany((s, i) => sets.Skip(i + 1).Select(o => (s, o))))
        {
            Assert.True(Needed(set, other) || Needed(other, set), $"{set.Name} and {other.Name}");
        }
        foreach (var set in sets)
        {
            Assert.InRange(Own(set).Count(p => p.ValueFromPipeline), 0, 1);
            var positions = Own(set).Where(p => p.Position >= 0).Select(p => p.Position).Order().ToList();
            Assert.Equal(Enumerable.Range(0, positions.Count), positions);
        }

        static bool Needed(CommandParameterSetInfo set, CommandParameterSetInfo other) =>
            Own(set).Any(p => p.IsMandatory && other.Parameters.All(o => o.Name != p.Name));
    }
}
