using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Core.Errors;
using McpSm.Core.Management;

namespace McpSm.Commands.Settings;

/// <summary><c>config set</c>: checks and stores a setting.</summary>
internal sealed class ConfigSetCommand : McpsmSubcommand
{
    private readonly Argument<string> _name = ConfigCommand.CreateName();
    private readonly Argument<string> _value = new("value") { Description = "The value: a path, a URL, or hosts separated by commas" };

    public ConfigSetCommand(CommandContext context) : base(context, "set", "Store a setting")
    {
        Add(_name);
        Add(_value);
        Examples =
        [
            "mcpsm config set proxy http://proxy.example.com:3128",
            "mcpsm config set no-proxy .example.com,10.0.0.0/8",
        ];
    }

    public override bool Changes(ParseResult parsed) => true;

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var setting = SettingManager.Require(parsed.GetValue(_name)!);
        var settings = Context.Authenticator.Settings;
        var variable = await settings.SetAsync(setting, parsed.GetValue(_value)!, cancellationToken).ConfigureAwait(false);
        Context.Succeed($"{setting.Name} is set.");
        if (variable is not null)
        {
            Context.Warn($"the environment variable {UntrustedText.Sanitize(variable)} is set and wins over this setting.");
        }
        return ExitCode.Done;
    }
}
