using System.Management.Automation;
using McpSm.Core.Configuration;
using McpSm.Core.Management;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Settings;

/// <summary>Returns the settings, and where their values come from.</summary>
[Cmdlet(VerbsCommon.Get, "McpSetting", HelpUri = HelpUris.Folder + "Get-McpSetting.md")]
[OutputType(typeof(McpSetting))]
public sealed class GetMcpSettingCommand : McpCmdlet
{
    /// <summary>Names or wildcards of settings; by default all settings.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(SettingCompleter))]
    public string[] Name { get; set; } = ["*"];

    protected override void ProcessRecord() => Run(_ => TryAsync(null, () =>
    {
        var found = Name.SelectMany(name => WildcardPattern.ContainsWildcardCharacters(name)
            ? UserSetting.All.Where(setting => WildcardPattern.Get(name, WildcardOptions.IgnoreCase).IsMatch(setting.Name)) : [SettingManager.Require(name)]);
        foreach (var setting in found)
        {
            var value = Authenticator.Settings.Find(setting);
            Write(new McpSetting(setting.Name, value?.Text, value?.Source, setting.Description));
        }
        return Task.CompletedTask;
    }));
}
