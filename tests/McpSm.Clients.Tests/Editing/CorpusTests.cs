using System.Text.Json.Nodes;
using McpSm.Clients.Editing;
using Xunit;

namespace McpSm.Clients.Tests.Editing;

/// <summary>Edits realistic files with comments and odd layout.</summary>
public sealed class CorpusTests
{
    private static readonly JsonObject Entry = new()
    {
        ["command"] = "C:\\Program Files\\mcpsm \"x\".exe",
        ["args"] = new JsonArray("proxy", "my-api"),
        ["env"] = new JsonObject { ["XDG_RUNTIME_DIR"] = "/run/user/1000" },
    };

    public static IEnumerable<TheoryDataRow<string, string>> Files() =>
        from format in Enum.GetValues<ConfigurationFormat>()
        from name in CorpusFile.Names(format)
        select new TheoryDataRow<string, string>(format.ToString(), name);

    [Theory]
    [MemberData(nameof(Files))]
    public void Added_entry_is_read_back_and_undone_to_the_same_text(string format, string name)
    {
        foreach (var (text, container, parsed) in Cases(format, name))
        {
            var before = parsed.GetServers(container);
            var edit = parsed.Set(container, "my-api", Entry);
            var edited = Parse(format, edit.Text);
            var added = Assert.Single(edited.GetServers(container), s => s.Name == "my-api");
            Assert.All(Entry, member => Assert.True(JsonNode.DeepEquals(member.Value, added.Value![member.Key])));
            Assert.Equal(before.Select(s => s.Name), edited.GetServers(container).Where(s => s.Name != "my-api").Select(s => s.Name));
            Assert.NotEmpty(edit.Insertions);
            Assert.Equal(text, TextEdit.Undo(edit.Text, edit.Insertions));
            Assert.Equal(edit.Text, edited.Set(container, "my-api", Entry).Text);
            Assert.Equal(text.Contains("\r\n", StringComparison.Ordinal), edit.Text.ReplaceLineEndings("\n") != edit.Text);
            Assert.DoesNotContain('\n', text.Contains("\r\n", StringComparison.Ordinal) ? edit.Text.Replace("\r\n", "", StringComparison.Ordinal) : "");
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Entry_added_beside_others_is_removed_to_the_same_text(string format, string name)
    {
        foreach (var (text, container, parsed) in Cases(format, name).Where(c => c.Parsed.GetServers(c.Container).Count > 0))
        {
            var added = Parse(format, parsed.Set(container, "my-api", Entry).Text);
            Assert.Equal(text, added.Remove(container, "my-api").Text);
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Removed_entry_leaves_the_others_and_the_comments(string format, string name)
    {
        foreach (var (_, container, parsed) in Cases(format, name))
        {
            foreach (var server in parsed.GetServers(container))
            {
                var removed = Parse(format, parsed.Remove(container, server.Name).Text);
                Assert.Equal(parsed.GetServers(container).Select(s => s.Name).Where(n => n != server.Name), removed.GetServers(container).Select(s => s.Name));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Changed_member_of_an_entry_changes_only_its_line(string format, string name)
    {
        foreach (var (_, container, parsed) in Cases(format, name))
        {
            var added = parsed.Set(container, "my-api", Entry).Text;
            var changed = (JsonObject)Entry.DeepClone();
            changed["command"] = "/usr/bin/mcpsm";
            var edit = Parse(format, added).Set(container, "my-api", changed);
            Assert.Empty(edit.Insertions);
            Assert.Equal(1, added.Split('\n').Zip(edit.Text.Split('\n')).Count(lines => lines.First != lines.Second));
            Assert.Equal(added, Parse(format, edit.Text).Set(container, "my-api", Entry).Text);
        }
    }

    private static IEnumerable<(string Text, ServerContainer Container, ConfigurationText Parsed)> Cases(string format, string name) =>
        CorpusFile.Variants(CorpusFile.Read(Enum.Parse<ConfigurationFormat>(format), name)).Select(t => (t, CorpusFile.Container(name), Parse(format, t)));

    private static ConfigurationText Parse(string format, string text) => ConfigurationText.Parse(Enum.Parse<ConfigurationFormat>(format), text);
}
