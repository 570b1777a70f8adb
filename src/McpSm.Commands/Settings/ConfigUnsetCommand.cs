using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Core.Management;

namespace McpSm.Commands.Settings;

/// <summary><c>config unset</c>: removes a stored setting.</summary>
internal sealed class ConfigUnsetCommand : McpsmSubcommand
{
    private readonly Argument<string> _name = ConfigCommand.CreateName();

    public ConfigUnsetCommand(CommandContext context) : base(context, "unset", "Remove a setting")
    {
        Add(_name);
        Examples = ["mcpsm config unset proxy"];
    }

    public override bool Changes(ParseResult parsed) => true;

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var setting = SettingManager.Require(parsed.GetValue(_name)!);
        await Context.Authenticator.Settings.UnsetAsync(setting, cancellationToken).ConfigureAwait(false);
        Context.Succeed($"{setting.Name} is not set any more.");
        return ExitCode.Done;
    }
}
