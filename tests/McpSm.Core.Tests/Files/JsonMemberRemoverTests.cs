using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using McpSm.Core.Files;
using Xunit;

namespace McpSm.Core.Tests.Files;

public sealed class JsonMemberRemoverTests
{
    [Theory]
    [InlineData("""{"a":1}""", "{}")]
    [InlineData("""{ "a" : 1 }""", "{}")]
    [InlineData("""{ "a" : [1, {"a": 2}], "b": 3 }""", """{ "b": 3 }""")]
    [InlineData("{\r\n  \"b\": 3,\r\n  \"a\": \"x\\\"}\"\r\n}", "{\r\n  \"b\": 3\r\n}")]
    [InlineData("""{"b":1,"a":2,"c":3}""", """{"b":1,"c":3}""")]
    [InlineData("""{"b":1}""", """{"b":1}""")]
    [InlineData("\uFEFF{\"a\":1,\"ü\":2}", "\uFEFF{\"ü\":2}")]
    public void Removed_member_leaves_all_other_bytes(string json, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(JsonMemberRemover.Remove(Encoding.UTF8.GetBytes(json), ["a"])));

    [Fact]
    public void Member_within_objects_and_arrays_is_removed() => Assert.Equal("""{"x":[0,{"y":{"k":1}}]}""",
        Encoding.UTF8.GetString(JsonMemberRemover.Remove("""{"x":[0,{"y":{"k":1, "a": null}}]}"""u8.ToArray(), ["x", 1, "y", "a"])));

    [Fact]
    public void Document_after_any_removal_parses_to_the_same_rest()
    {
        var names = Gen.OneOf("a", "b", "c\"d", "ü", "{", ",");
        var space = Gen.OneOf("", " ", "\n  ", "\t");
        Gen.Select(names.List[1, 6], space, Gen.Int[0, 5], space).Sample((all, before, at, after) =>
        {
            var members = all.Distinct().ToList();
            var written = members.Select((n, i) => $"{before}{JsonSerializer.Serialize(n)}{after}:{before}[{i},\"{{,}}\"]");
            var json = "{" + string.Join("," + after, written) + after + "}";
            var name = members[at % members.Count];
            var expected = JsonNode.Parse(json)!.AsObject();
            expected.Remove(name);
            var cut = JsonNode.Parse(JsonMemberRemover.Remove(Encoding.UTF8.GetBytes(json), [name]))!;
            return JsonNode.DeepEquals(expected, cut);
        });
    }
}
