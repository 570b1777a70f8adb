using System.Text;
using McpSm.Clients.Editing;

namespace McpSm.Clients.Tests.Random;

/// <summary>Writes TOML, with the servers as tables, dotted keys, inline tables or an array of tables.</summary>
internal sealed class RandomToml(System.Random random)
{
    private readonly List<string> _sections = [];
    private readonly List<string> _rootPairs = [];
    private readonly string _indent = random.Next(4) == 0 ? "  " : "";

    public (string Text, ServerContainer Container) Next()
    {
        var shape = random.Next(4) == 0 ? ContainerShape.List : ContainerShape.Map;
        var names = Enumerable.Range(0, Math.Max(0, random.Next(6) - 2)).Select(i => $"old{i}").ToList();
        if (shape == ContainerShape.List)
        {
            AddList(names);
        }
        else
        {
            AddMap(names);
        }
        for (var i = random.Next(3); i > 0; i--)
        {
            _rootPairs.Insert(random.Next(_rootPairs.Count + 1), $"root{i} = {Value(2)}{Comment()}\n");
        }
        for (var i = random.Next(3); i > 0; i--)
        {
            _sections.Insert(random.Next(_sections.Count + 1), Section($"[other{i}]", $"key = {Value(2)}", "'quoted key' = 1"));
        }
        var text = new StringBuilder();
        foreach (var part in _rootPairs.Concat(_sections))
        {
            text.Append(Between()).Append(part);
        }
        return (text.Append(Between()).ToString(), new(["mcp_servers"], shape));
    }

    private void AddMap(List<string> names)
    {
        switch (random.Next(5))
        {
            case 0:
                var inline = string.Join(", ", names.Select(n => $" {n} = {Inline(null)}"));
                _rootPairs.Add($"mcp_servers = {{{inline}{(names.Count > 0 ? " " : "")}}}{Comment()}\n");
                break;
            case 1:
                _rootPairs.AddRange(names.Select(n => $"mcp_servers.{n}.command = 'a'{Comment()}\nmcp_servers.{n}.args = {Value(1)}\n"));
                break;
            case 2:
                _sections.Add(Section("[mcp_servers]", [.. names.Select(n => $"{n} = {Inline(null)}")]));
                break;
            case 3:
                _sections.Add(Section("[mcp_servers]", [.. names.SelectMany(n => new[] { $"{n}.command = 'a'", $"{n}.env.A = \"1\"" })]));
                break;
            default:
                AddTables(names);
                break;
        }
    }

    private void AddTables(List<string> names)
    {
        foreach (var name in names)
        {
            _sections.Add(Section($"[mcp_servers.{name}]", "command = \"a\"", $"args = {Value(1)}"));
            if (random.Next(2) == 0)
            {
                // Tables of one server can be apart.
                _sections.Insert(random.Next(_sections.Count + 1), Section($"[ mcp_servers . \"{name}\" . env ]", "A = '''\n[mcp_servers.decoy]\n'''"));
            }
        }
    }

    private void AddList(List<string> names)
    {
        if (random.Next(2) == 0)
        {
            var separator = random.Next(2) == 0 ? ", " : $",{Comment()}\n  ";
            _rootPairs.Add($"mcp_servers = [{(separator.Contains('\n') ? "\n  " : "")}{string.Join(separator, names.Select(Inline))}]\n");
            return;
        }
        foreach (var name in names)
        {
            _sections.Add(Section("[[mcp_servers]]", $"name = \"{name}\"", "command = \"a\"")
                + (random.Next(2) == 0 ? Between() + Section("[mcp_servers.env]", "A = \"1\"") : ""));
        }
    }

    private string Section(string header, params string[] pairs) =>
        $"{_indent}{header}{Comment()}\n{string.Concat(pairs.Select(p => $"{Inside()}{_indent}{p}{Comment()}\n"))}";

    private string Inline(string? name) => $"{{ {(name is null ? "" : $"name = \"{name}\", ")}command = 'a', env = {{ A = \"#\" }} }}";

    private string Value(int depth) => random.Next(depth == 0 ? 5 : 7) switch
    {
        0 => "1979-05-27T07:32:00Z",
        1 => "0xFF",
        2 => "\"# [mcp_servers] \\u00e9\"",
        3 => "'C:\\x'",
        4 => "-1.5e3",
        5 => $"[{string.Join(", ", Enumerable.Range(0, random.Next(3)).Select(_ => Value(depth - 1)))}]",
        _ => $"[\n  {Value(depth - 1)}, # one\n  {Value(depth - 1)},\n]",
    };

    private string Comment() => random.Next(5) == 0 ? " # at the end" : "";

    private string Between() => random.Next(5) switch
    {
        0 => "# [mcp_servers.x]\n",
        1 => "",
        2 => "\n\n",
        _ => "\n",
    };

    private string Inside() => random.Next(8) switch
    {
        0 => "# inside\n",
        1 => "\n",
        _ => "",
    };
}
