using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Errors;

/// <summary>
/// Compares the messages of <c>src</c> with <c>messages.txt</c>, so that a review shows each edit of a message. To write the file again, run
/// these tests with <c>MCPSM_TEST_UPDATE=1</c>.
/// </summary>
public sealed class MessageTests
{
    private static readonly string Snapshot = Path.Combine(Repository.Root, "tests", "McpSm.Core.Tests", "Errors", "messages.txt");

    [Fact]
    public void Messages_in_the_source_are_those_of_the_snapshot()
    {
        const string heading = """
            The messages of src, by file. A placeholder is the expression in the source.
            This file is generated. To write it again, run the tests of MessageTests with MCPSM_TEST_UPDATE=1.

            """;
        var messages = heading.ReplaceLineEndings("\n") + MessageReader.ReadAll();
        if (Environment.GetEnvironmentVariable("MCPSM_TEST_UPDATE") == "1")
        {
            File.WriteAllText(Snapshot, messages);
        }
        Assert.Equal(messages, File.ReadAllText(Snapshot).ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Parts_of_a_concatenation_are_one_message()
    {
        const string source = """class C { string M(string name) => "Cannot use '" + name + "': " + $"it has {name.Length:N0} characters" + "."; }""";
        Assert.Equal(["Cannot use '{name}': it has {name.Length:N0} characters."], MessageReader.Read(source));
    }

    [Fact]
    public void Text_within_a_placeholder_belongs_to_its_message()
    {
        const string source = """class C { string M(bool b) => $"The file {(b ? "is a folder" : "does not exist")}."; }""";
        Assert.Equal(["""The file {(b ? "is a folder" : "does not exist")}."""], MessageReader.Read(source));
    }

    [Theory]
    [InlineData("""class C { string s = "settings.json"; }""")]
    [InlineData("""[Obsolete("Use something else")] class C; """)]
    [InlineData("""class C; // "A comment is not a message" """)]
    public void Single_words_attributes_and_comments_are_not_messages(string source) => Assert.Empty(MessageReader.Read(source));

    [Fact]
    public void Help_message_of_a_parameter_is_a_message() =>
        Assert.Equal(["The name of the server"], MessageReader.Read("""class C { [Parameter(HelpMessage = "The name of the server")] public string Name; }"""));
}
