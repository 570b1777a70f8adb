using McpSm.Clients.Editing;

namespace McpSm.Clients.Tests.Random;

/// <summary>Writes YAML in the block and the flow style.</summary>
internal sealed class RandomYaml(System.Random random)
{
    private readonly string _unit = random.Next(3) == 0 ? "    " : "  ";
    private readonly bool _hasFlushLists = random.Next(2) == 0;

    public (string Text, ServerContainer Container) Next()
    {
        var path = random.Next(3) == 0 ? new[] { "deep", "servers" } : ["servers"];
        var shape = random.Next(3) == 0 ? ContainerShape.List : ContainerShape.Map;
        var members = Enumerable.Range(0, random.Next(4)).Select(i => Member($"other{i}", "", 2)).ToList();
        if (random.Next(5) > 0)
        {
            var (parent, indent) = path.Length > 1 ? ($"deep:{Comment()}\n", _unit) : ("", "");
            members.Insert(random.Next(members.Count + 1), parent + Container(shape, indent));
        }
        var start = random.Next(8) switch
        {
            0 => "---\n",
            1 => "# start\n",
            2 => "%YAML 1.2\n---\n",
            _ => "",
        };
        return (start + string.Concat(members.Select(m => Line("") + m)) + Line(""), new(path, shape));
    }

    private string Container(ContainerShape shape, string indent)
    {
        var names = Enumerable.Range(0, Math.Max(0, random.Next(6) - 2)).Select(i => $"old{i}").ToList();
        var key = indent + (random.Next(5) == 0 ? "\"servers\":" : "servers:");
        if (names.Count == 0 || random.Next(4) == 0)
        {
            var (open, close) = shape == ContainerShape.Map ? ('{', '}') : ('[', ']');
            var flow = $" {open}{string.Join(", ", names.Select(n => shape == ContainerShape.Map ? $"{n}: {FlowEntry(null)}" : FlowEntry(n)))}{close}";
            return key + (names.Count > 0 ? flow : Pick("", " ~", " null", flow)) + Comment() + "\n";
        }
        var deeper = shape == ContainerShape.List && _hasFlushLists ? indent : indent + _unit;
        return $"{key}{Comment()}\n"
            + string.Concat(names.Select(n => Line(deeper) + (shape == ContainerShape.Map ? MapEntry(n, deeper) : ListEntry(n, deeper))));
    }

    private string MapEntry(string name, string indent) => random.Next(5) switch
    {
        0 => $"{indent}{name}: {FlowEntry(null)}{Comment()}\n",
        1 => $"{indent}{name}:{Comment()}\n",
        _ => $"{indent}{Pick(name, $"'{name}'")}:{Comment()}\n{Member("cmd", indent + _unit, 0)}{Line(indent + _unit)}{Member("args", indent + _unit, 1)}",
    };

    private string ListEntry(string name, string indent)
    {
        var blanks = Pick(" ", "   ");
        var inner = indent + " " + blanks;
        return random.Next(4) == 0 ? $"{indent}- {FlowEntry(name)}{Comment()}\n"
            : $"{indent}-{blanks}name: {name}{Comment()}\n{Member("cmd", inner, 0)}{Member("args", inner, 1)}";
    }

    private string FlowEntry(string? name) => $"{{{(name is null ? "" : $"name: {name}, ")}cmd: 'a, {{b}}', args: [x, \"]\"]}}";

    private string Member(string key, string indent, int depth) => random.Next(depth == 0 ? 6 : 9) switch
    {
        0 => $"{indent}{key}: plain text{Comment()}\n",
        1 => $"{indent}{key}: 'it''s # no comment'{Comment()}\n",
        2 => $"{indent}{key}: |\n{indent}{_unit}# text\n\n{indent}{_unit}  servers:\n",
        3 => $"{indent}{key}: >-\n{indent}{_unit}folded\n{indent}{_unit}text\n",
        4 => $"{indent}{key}:{Comment()}\n",
        5 => $"{indent}{key}: -1.5e3{Comment()}\n",
        6 => $"{indent}{key}:\n{Member("inner", indent + _unit, depth - 1)}{Line(indent)}{Member("second", indent + _unit, depth - 1)}",
        7 => $"{indent}{key}:\n{Item(indent)}{Line(indent)}{Item(indent)}",
        _ => $"{indent}{key}: plain\n{indent}{_unit}on two lines{Comment()}\n",
    };

    private string Item(string indent) => $"{(_hasFlushLists ? indent : indent + _unit)}- {Pick("one", "-", "\"two\"", "{a: b}")}{Comment()}\n";

    private string Comment() => random.Next(6) == 0 ? " # servers: {}" : "";

    private string Line(string indent) => random.Next(10) switch
    {
        0 => "\n",
        1 => $"{indent}# servers:\n",
        _ => "",
    };

    private string Pick(params string[] choices) => choices[random.Next(choices.Length)];
}
