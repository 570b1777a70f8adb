using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Output;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;

namespace McpSm.Commands.Settings;

/// <summary><c>config</c>: shows the settings; and the commands under it.</summary>
internal sealed class ConfigCommand : McpsmSubcommand
{
    private readonly Option<bool> _json = new("--json") { Description = "Print a JSON array" };

    public ConfigCommand(CommandContext context) : base(context, "config", "Show or change settings: key file, proxy, authorities")
    {
        Add(_json);
        Add(new ConfigSetCommand(context));
        Add(new ConfigUnsetCommand(context));
        Examples = ["mcpsm config", "mcpsm config set proxy http://proxy.example.com:3128"];
    }

    /// <summary>The argument that names a setting.</summary>
    public static Argument<string> CreateName() => new("setting") { Description = string.Join(", ", UserSetting.All.Select(setting => setting.Name)) };

    public override bool Changes(ParseResult parsed) => false;

    protected override Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var settings = UserSetting.All.Select(setting => (Setting: setting, Value: Context.Authenticator.Settings.Find(setting))).ToList();
        if (parsed.GetValue(_json))
        {
            JsonOutput.Array(Context.Console.Out, settings, JsonOutput.Setting);
            return Task.FromResult(ExitCode.Done);
        }
        foreach (var (setting, value) in settings)
        {
            Context.Print(value is null ? $"{setting.Name}: not set" : $"{setting.Name}: {UntrustedText.Sanitize(value.Text)} ({value.Source})");
            Context.Print($"    {setting.Description}");
        }
        return Task.FromResult(ExitCode.Done);
    }
}
