using System.Management.Automation;
using McpSm.Core.Configuration;
using McpSm.Core.Management;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Settings;

/// <summary>Stores or removes a setting.</summary>
[Cmdlet(VerbsCommon.Set, "McpSetting", HelpUri = HelpUris.Folder + "Set-McpSetting.md", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class SetMcpSettingCommand : McpCmdlet
{
    /// <summary>The name of the setting.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(SettingCompleter))]
    public string Name { get; set; } = "";

    /// <summary>The value, or a list of hosts; null or an empty text removes the setting.</summary>
    [Parameter(Position = 1, Mandatory = true)]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    public string?[]? Value { get; set; }

    protected override void ProcessRecord()
    {
        var value = Value is null ? null : string.Join(',', Value);
        Run(cancellationToken => TryAsync(null, async () =>
        {
            var setting = SettingManager.Require(Name);
            var action = string.IsNullOrEmpty(value) ? "Remove the setting" : "Store the setting";
            if (!await Dispatcher.AskAsync(() => ShouldProcess(setting.Name, action), cancellationToken).ConfigureAwait(false))
            {
                return;
            }
            if (string.IsNullOrEmpty(value))
            {
                await Authenticator.Settings.UnsetAsync(setting, cancellationToken).ConfigureAwait(false);
                return;
            }
            var isFile = setting == UserSetting.CaFile || setting == UserSetting.VaultKeyFile;
            // PSPath resolution must run on the pipeline thread.
            var resolved = !isFile ? value
                : await Dispatcher.AskAsync(() => GetUnresolvedProviderPathFromPSPath(value), cancellationToken).ConfigureAwait(false);
            if (await Authenticator.Settings.SetAsync(setting, resolved, cancellationToken).ConfigureAwait(false) is { } variable)
            {
                Warn($"The environment variable {variable} is set and wins over this setting.");
            }
        }));
    }
}
