using System.CommandLine;
using McpSm.Core.Configuration;

namespace McpSm.Commands.Proxy;

/// <summary>The options of <c>proxy</c> that win over a setting and its environment variables. Clients store arguments, and pass on few variables.</summary>
internal sealed class SettingOptions
{
    private readonly IReadOnlyList<(Option<string?> Option, UserSetting Setting)> _options =
    [
        (new("--ca-file") { Description = "Trust the authorities in this PEM file too", HelpName = "file" }, UserSetting.CaFile),
        (new("--proxy") { Description = "Use this proxy for requests to other machines", HelpName = "url" }, UserSetting.Proxy),
        (new("--no-proxy") { Description = "Reach these hosts without the proxy", HelpName = "hosts" }, UserSetting.NoProxy),
        (new("--vault-key-file") { Description = "File with the key of the encrypted file", HelpName = "file" }, UserSetting.VaultKeyFile),
    ];

    public IEnumerable<Option> Options => _options.Select(entry => entry.Option);

    /// <summary>Sets what the user gave, for this process alone.</summary>
    /// <exception cref="Core.Errors.McpAuthException">InvalidValue.</exception>
    public void Apply(ParseResult parsed, CommandContext context)
    {
        foreach (var (option, setting) in _options)
        {
            if (parsed.GetValue(option) is { } value)
            {
                context.Authenticator.Settings.Override(setting, value);
            }
        }
    }
}
