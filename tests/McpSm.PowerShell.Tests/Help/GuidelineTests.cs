using System.Management.Automation;
using System.Reflection;
using McpSm.PowerShell.Tests.Support;
using Xunit;

namespace McpSm.PowerShell.Tests.Help;

/// <summary>Tests of every cmdlet against the required and the strongly encouraged guidelines of PowerShell.</summary>
[Collection(SerialCollection.Name)]
public sealed class GuidelineTests
{
    // The confirm impact of each cmdlet. High asks without -Confirm.
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
        ["Set-McpSetting"] = ConfirmImpact.Medium,
        ["Import-McpCredential"] = ConfirmImpact.Medium,
        ["Set-McpIdentityProvider"] = ConfirmImpact.Medium,
        ["Remove-McpIdentityProvider"] = ConfirmImpact.High,
        ["Connect-McpIdentityProvider"] = ConfirmImpact.Medium,
        ["Disconnect-McpIdentityProvider"] = ConfirmImpact.High,
    };

    private static readonly string[] ReadOnly =
        ["Get-McpServer", "Get-McpAuthStatus", "Get-McpToken", "Get-McpVault", "Get-McpSetting", "Test-McpServer", "Get-McpIdentityProvider"];

    private static readonly HashSet<string> ApprovedVerbs = new[]
    {
        typeof(VerbsCommon), typeof(VerbsCommunications), typeof(VerbsData), typeof(VerbsDiagnostic), typeof(VerbsLifecycle),
        typeof(VerbsOther), typeof(VerbsSecurity),
    }.SelectMany(t => t.GetFields(BindingFlags.Public | BindingFlags.Static)).Select(f => (string)f.GetRawConstantValue()!).ToHashSet();

    public static TheoryData<string> Cmdlets => [.. Changes.Keys.Concat(ReadOnly).Order()];

    private static CmdletInfo Info(ModuleSession session, string name) => (CmdletInfo)session.Run("Get-Command $args[0] -Module Mcpsm", name)[0].BaseObject;

    private static IEnumerable<CommandParameterInfo> Own(CommandParameterSetInfo set) => set.Parameters.Where(p => !Cmdlet.CommonParameters.Contains(p.Name));

    [Fact]
    public void Every_cmdlet_is_in_the_table_of_these_tests()
    {
        using var session = new ModuleSession();
        var cmdlets = session.Run("(Get-Command -Module Mcpsm -CommandType Cmdlet).Name").Select(o => o.ToString()!);
        Assert.Equal(Changes.Keys.Concat(ReadOnly).Order(), cmdlets.Order());
    }

    [Theory]
    [MemberData(nameof(Cmdlets))]
    public void Cmdlet_name_has_an_approved_verb_a_singular_noun_and_a_help_link(string name)
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
    public void Cmdlet_supports_WhatIf_for_changes_and_confirms_permanent_ones(string name)
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
    public void Cmdlet_declares_its_output_type(string name)
    {
        using var session = new ModuleSession();
        var info = Info(session, name);
        // A Remove cmdlet has no object to return.
        Assert.Equal(info.Verb != "Remove", info.OutputType.Count > 0);
        Assert.All(info.OutputType, t => Assert.NotEqual(typeof(object), t.Type));
    }

    [Theory]
    [MemberData(nameof(Cmdlets))]
    public void Name_parameter_of_existing_objects_accepts_wildcards(string name)
    {
        using var session = new ModuleSession();
        var info = Info(session, name);
        // The only identity provider needs no name.
        Assert.Equal(info.Noun != "McpIdentityProvider", info.Parameters.TryGetValue("Name", out var parameter));
        if (parameter is null)
        {
            return;
        }
        // The name of a new server, of a selected vault and of a changed setting cannot be a pattern.
        var takes = name is not ("Add-McpServer" or "Set-McpVault" or "Set-McpSetting");
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
    public void Missing_identity_provider_is_not_an_error(string name)
    {
        using var session = new ModuleSession();
        Assert.Empty(session.Run(name));
        Assert.Empty(session.Errors.Select(e => e.ToString()));
        Assert.Empty(session.Host.Lines);
    }

    [Theory]
    [MemberData(nameof(Cmdlets))]
    public void Parameter_sets_of_a_cmdlet_are_distinct(string name)
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
