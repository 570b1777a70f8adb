using System.Text.Json.Nodes;
using CsCheck;
using McpSm.Clients.Editing;
using McpSm.Clients.Files;
using McpSm.Clients.Tests.Random;
using McpSm.Clients.Undo;
using Xunit;

namespace McpSm.Clients.Tests.Undo;

/// <summary>Random sequences of adds, changes and removals in random documents.</summary>
public sealed class RandomEditTests(ITestOutputHelper output)
{
    private static readonly string[] Names = ["my-api", "x.y", "Ünï cödé", "old0", "4", "it's \"quoted\""];

    private static readonly string[] Texts =
        ["/usr/bin/mcpsm", "C:\\Program Files\\mcpsm.exe", "it's", "a \"b\" # c", "", " x ", "yes", "1.5", "null", "é😀", "a\nb\tc", "-", "a: b", "{x}",
            "[", "@x", "~", "0x10", "2020-01-01"];

    private static long Cases { get; } = long.TryParse(Environment.GetEnvironmentVariable("MCPSM_PROPERTY_CASES"), out var cases) ? cases : 2000;

    private int _refused;
    private int _edits;

    [Theory]
    [InlineData("Json")]
    [InlineData("Toml")]
    [InlineData("Yaml")]
    public void Removal_of_all_added_entries_in_any_order_restores_the_text(string format)
    {
        Gen.Int.Sample(seed => Run(seed, format, (document, random) => AddAndRemove(document, random)), iter: Cases);
        output.WriteLine($"{format}: {Cases} documents, {_edits} edits, {_refused} refused");
        Assert.InRange(_refused, 0, _edits / 50);
    }

    [Theory]
    [InlineData("Json")]
    [InlineData("Toml")]
    [InlineData("Yaml")]
    public void Removal_after_a_change_by_another_program_keeps_everything_else(string format)
    {
        Gen.Int.Sample(seed => Run(seed, format, (document, random) => ChangeBetween(document, random)), iter: Cases);
        output.WriteLine($"{format}: {Cases} documents, {_edits} edits, {_refused} refused");
        Assert.InRange(_refused, 0, _edits / 50);
    }

    private void Run(int seed, string format, Action<RandomDocument, System.Random> check)
    {
        var random = new System.Random(seed);
        var document = RandomDocument.Next(Enum.Parse<ConfigurationFormat>(format), random);
        try
        {
            check(document, random);
        }
        catch (ConfigurationLayoutException)
        {
            // A last text in lines without a line end would get one.
            Interlocked.Increment(ref _refused);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"Seed {seed}\n{document.Text}\n---\n{e}", e);
        }
    }

    private void AddAndRemove(RandomDocument document, System.Random random)
    {
        var start = Parse(document, document.Text);
        var others = start.GetServers(document.Container).ToDictionary(s => s.Name, s => s.Value);
        var model = new Dictionary<string, JsonObject>();
        string? text = document.Text;
        var state = UndoState.Empty;
        for (var i = 0; i < 8 || model.Count > 0; i++)
        {
            var name = i < 8 ? Names[random.Next(Names.Length)] : model.Keys.ElementAt(random.Next(model.Count));
            if (others.ContainsKey(name))
            {
                continue;
            }
            var value = i < 8 && random.Next(3) > 0 ? Entry(random) : null;
            (text, state) = Edit(document, text, state, new ServerEdit(name, value));
            _ = value is null ? model.Remove(name) : (model[name] = value) is not null;
            RequireServers(document, text, others, model);
        }
        Assert.Equal(document.Text, text);
        Assert.True(state.IsEmpty);
    }

    private void ChangeBetween(RandomDocument document, System.Random random)
    {
        var start = Parse(document, document.Text);
        var others = start.GetServers(document.Container).ToDictionary(s => s.Name, s => s.Value);
        var names = Names.Where(n => !others.ContainsKey(n)).Take(2).ToList();
        var (text, state) = Edit(document, document.Text, UndoState.Empty,
            new ServerEdit(names[0], Entry(random)), new ServerEdit(names[1], Entry(random)));
        var foreign = new ServerContainer(["zzz foreign"], ContainerShape.Map);
        text = Parse(document, text!).Set(foreign, "theirs", new() { ["x"] = 1 }).Text;
        foreach (var name in names)
        {
            (text, state) = Edit(document, text, state with { Adds = [] }, new ServerEdit(name, null));
        }
        RequireServers(document, text, others, []);
        var expected = Parse(document, Parse(document, document.Text).Set(foreign, "theirs", new() { ["x"] = 1 }).Text).GetValue([]);
        Assert.True(JsonNode.DeepEquals(WithoutEmpty(document, expected), WithoutEmpty(document, Parse(document, text!).GetValue([]))), text);
        Assert.Equal(Has(start.GetValue([]), document.Container.Path), Has(Parse(document, text!).GetValue([]), document.Container.Path));
    }

    private static bool Has(JsonNode? root, IReadOnlyList<string> path) =>
        root is JsonObject map && (path.Count == 1 ? map.ContainsKey(path[0]) : Has(map[path[0]], [.. path.Skip(1)]));

    /// <summary>Null stands for a container without entries.</summary>
    private static JsonNode? WithoutEmpty(RandomDocument document, JsonNode? root)
    {
        var parent = document.Container.Path.SkipLast(1).Aggregate(root, (node, key) => (node as JsonObject)?[key]) as JsonObject;
        if (parent?[document.Container.Path[^1]] is null or JsonObject { Count: 0 } or JsonArray { Count: 0 })
        {
            parent?.Remove(document.Container.Path[^1]);
        }
        return root;
    }

    private (string? Text, UndoState State) Edit(RandomDocument document, string? text, UndoState state, params ServerEdit[] edits)
    {
        Interlocked.Add(ref _edits, edits.Length);
        return EditPlan.Apply(new ClientDocument("/x", document.Format, document.Container), text, state, edits);
    }

    private static void RequireServers(RandomDocument document, string? text, Dictionary<string, JsonNode?> others, Dictionary<string, JsonObject> added)
    {
        var servers = Parse(document, text ?? "").GetServers(document.Container);
        Assert.Equal(others.Keys.Concat(added.Keys).Order(StringComparer.Ordinal), servers.Select(s => s.Name).Order(StringComparer.Ordinal));
        foreach (var server in servers)
        {
            var expected = others.GetValueOrDefault(server.Name) ?? added.GetValueOrDefault(server.Name);
            var actual = server.Value?.DeepClone();
            if (added.ContainsKey(server.Name))
            {
                (actual as JsonObject)?.Remove("name");
            }
            Assert.True(JsonNode.DeepEquals(expected, actual), $"{server.Name}: {expected?.ToJsonString()} is {actual?.ToJsonString()}");
        }
    }

    private static JsonObject Entry(System.Random random)
    {
        string Text() => Texts[random.Next(Texts.Length)];
        var entry = new JsonObject { ["command"] = Text(), ["args"] = new JsonArray([.. Enumerable.Range(0, random.Next(3)).Select(_ => (JsonNode)Text())]) };
        if (random.Next(2) == 0)
        {
            entry["env"] = random.Next(4) == 0
                ? new JsonObject()
                : new JsonObject { ["XDG_RUNTIME_DIR"] = Text(), [random.Next(2) == 0 ? "A.B" : "K"] = Text() };
        }
        if (random.Next(3) == 0)
        {
            entry["enabled"] = random.Next(2) == 0;
            entry["timeout"] = random.Next(1000);
        }
        return entry;
    }

    private static ConfigurationText Parse(RandomDocument document, string text) => ConfigurationText.Parse(document.Format, text);
}
