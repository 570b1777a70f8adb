using McpSm.Clients.Editing;

namespace McpSm.Clients.Tests.Random;

/// <summary>A document with random values and a random layout.</summary>
internal sealed record RandomDocument(ConfigurationFormat Format, string Text, ServerContainer Container)
{
    public static RandomDocument Next(ConfigurationFormat format, System.Random random)
    {
        var (text, container) = format switch
        {
            ConfigurationFormat.Json => new RandomJson(random).Next(),
            ConfigurationFormat.Toml => new RandomToml(random).Next(),
            _ => new RandomYaml(random).Next(),
        };
        text = random.Next(4) == 0 ? text.TrimEnd('\n') : text;
        text = random.Next(3) == 0 ? text.ReplaceLineEndings("\r\n") : text;
        return new(format, random.Next(8) == 0 ? '\uFEFF' + text : text, container);
    }
}
