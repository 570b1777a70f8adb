namespace McpSm.Core.Configuration;

/// <summary>The value of a setting.</summary>
/// <param name="Text">The value.</param>
/// <param name="Source">Where it comes from: an environment variable, <c>settings.json</c> or the command line.</param>
internal sealed record SettingValue(string Text, string Source)
{
    public const string File = "settings.json";
    public const string CommandLine = "command line";
}
