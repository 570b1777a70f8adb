using McpSm.Clients.Editing;

namespace McpSm.Clients.Tests.Random;

/// <summary>Writes JSON with comments: in lines, on one line, or with blanks and comments anywhere.</summary>
internal sealed class RandomJson(System.Random random)
{
    private enum Layout
    {
        Lines,
        OneLine,
        Compact,
        Wild,
    }

    private readonly Layout _layout = (Layout)random.Next(4);
    private readonly string _unit = Pick(random, "  ", "    ", "\t", " ");
    private readonly bool _hasTrailingCommas = random.Next(3) == 0;
    private readonly int _comments = random.Next(3);

    public (string Text, ServerContainer Container) Next()
    {
        var path = random.Next(3) switch
        {
            0 => new[] { "mcpServers" },
            1 => ["amp.mcpServers"],
            _ => ["deep", "mcpServers"],
        };
        var shape = random.Next(5) == 0 ? ContainerShape.List : ContainerShape.Map;
        var text = random.Next(12) switch
        {
            0 => "",
            1 => "// only\n/* comments */\n",
            2 => $"{Blank()}{{}}{Blank()}",
            _ => $"{Blank()}{Root(path, shape, "")}{Blank()}",
        };
        return (_layout == Layout.Lines && text.Length > 0 && !text.EndsWith('\n') ? text + "\n" : text, new(path, shape));
    }

    private string Root(IReadOnlyList<string> path, ContainerShape shape, string indent)
    {
        var members = new List<(string, string)>();
        var depth = indent + _unit;
        for (var i = random.Next(4); i > 0; i--)
        {
            members.Add(($"other{i}", Value(depth, 2)));
        }
        if (random.Next(5) > 0)
        {
            members.Insert(random.Next(members.Count + 1), (path[0], path.Count > 1 ? Root([.. path.Skip(1)], shape, depth) : Container(shape, depth)));
        }
        return Map(members, indent);
    }

    private string Container(ContainerShape shape, string indent)
    {
        var count = Math.Max(0, random.Next(6) - 2);
        var names = Enumerable.Range(0, count).Select(i => $"old {i}");
        return random.Next(10) == 0 ? "null"
            : shape == ContainerShape.Map ? Map([.. names.Select(n => (n, Entry(null, indent + _unit)))], indent)
            : List([.. names.Select(n => Entry(n, indent + _unit))], indent);
    }

    private string Entry(string? name, string indent)
    {
        var members = new List<(string, string)> { ("command", "\"a\\\\b // \\\"{}\""), ("args", List(["\"x\"", "\"},\\n\""], indent + _unit)) };
        if (name is not null)
        {
            members.Insert(random.Next(3), ("name", $"\"{name}\""));
        }
        return Map(members, indent);
    }

    private string Value(string indent, int depth) => random.Next(depth == 0 ? 5 : 7) switch
    {
        0 => "null",
        1 => "-1.5e+3",
        2 => "true",
        3 => "\"/* no */ // comment \\u00e9 😀\"",
        4 => "123456789012345678901234567890",
        5 => Map([.. Enumerable.Range(0, random.Next(3)).Select(i => ($"k{i}", Value(indent + _unit, depth - 1)))], indent),
        _ => List([.. Enumerable.Range(0, random.Next(3)).Select(_ => Value(indent + _unit, depth - 1))], indent),
    };

    private string Map(IReadOnlyList<(string Key, string Value)> members, string indent) =>
        Bracket('{', [.. members.Select(m => $"\"{m.Key}\"{Blank()}:{(_layout == Layout.Compact ? "" : " ")}{Blank()}{m.Value}")], '}', indent);

    private string List(IReadOnlyList<string> items, string indent) => Bracket('[', items, ']', indent);

    private string Bracket(char open, IReadOnlyList<string> elements, char close, string indent)
    {
        if (elements.Count == 0)
        {
            return $"{open}{(random.Next(4) == 0 ? Blank() : "")}{close}";
        }
        var comma = _hasTrailingCommas ? "," : "";
        return _layout switch
        {
            Layout.Lines => $"{open}{LineEnd()}"
                + string.Concat(elements.Select((e, i) => $"{Line(indent)}{indent}{_unit}{e}{(i < elements.Count - 1 ? "," : comma)}{LineEnd()}"))
                + $"{Line(indent)}{indent}{close}",
            Layout.OneLine => $"{open} {string.Join(", ", elements)}{comma} {close}",
            Layout.Compact => $"{open}{string.Join(',', elements)}{comma}{close}",
            _ => $"{open}{Blank()}{string.Join($"{Blank()},{Blank()}", elements)}{Blank()}{comma}{Blank()}{close}",
        };
    }

    private string LineEnd() => (random.Next(12) < _comments ? Pick(random, " // at the end", " /* block */") : "") + "\n";

    private string Line(string indent) => random.Next(12) < _comments ? $"{indent}{_unit}// {{ \"mcpServers\": {{ }} }}\n" : random.Next(12) == 0 ? "\n" : "";

    private string Blank() => _layout != Layout.Wild ? ""
        : Pick(random, "", "", " ", "\n", "\n\n  ", "\t", " // c\n", "/* c */", " /* a\n b */ ", "\n  // c\n  ");

    private static string Pick(System.Random random, params string[] choices) => choices[random.Next(choices.Length)];
}
