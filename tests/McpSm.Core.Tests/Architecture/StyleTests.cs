using Xunit;

namespace McpSm.Core.Tests.Architecture;

/// <summary>Checks the rules of <c>docs/style.md</c> that a regular expression can check.</summary>
public sealed class StyleTests
{
    private static readonly StyleGuide Guide = StyleGuide.Read();

    [Fact]
    public void Text_of_the_repository_has_no_word_to_avoid()
    {
        var texts = SourceText.ReadAll();
        var found = from text in texts
                    where text.Name != StyleGuide.Page
                    from avoided in Guide.Avoided
                    let count = avoided.Count(text.Words)
                    where count > 0
                    select $"{text.Name}: {count} × {avoided} ({Excerpt(text.Words, avoided.Match(text.Words).Index)})";
        Assert.Contains(texts, text => text.Name == "src/McpSm.Core/McpSm.Core.csproj");
        RequireNone(found);
    }

    [Fact]
    public void Line_is_at_most_as_long_as_the_editorconfig_allows()
    {
        Assert.Equal((160, 160, 200), (LineLengths.MaxLength("a.cs"), LineLengths.MaxLength("a/b.ps1"), LineLengths.MaxLength("a.md")));
        RequireNone(LineLengths.FindLong());
    }

    [Fact]
    public void Exception_of_the_line_length_is_needed() => RequireNone(LineLengths.FindUnusedExceptions());

    [Fact]
    public void Test_name_has_subject_condition_and_result()
    {
        var names = SourceTest.ReadAll().Where(test => test.IsTest).Select(test => test.FullName).ToList();
        Assert.True(names.Count > 1000, $"{names.Count} tests were found");
        RequireNone(names.Where(name => !Guide.TestName.IsMatch(name.Split('.')[1])));
    }

    [Fact]
    public void Test_attribute_in_the_source_is_found()
    {
        var written = SourceText.ReadAll()
            .Where(text => text.Name.StartsWith("tests/", StringComparison.Ordinal) && text.Name.EndsWith(".cs", StringComparison.Ordinal))
            .Sum(text => SourceTest.TestAttribute().Count(text.Words));
        Assert.Equal(written, SourceTest.ReadAll().Count(test => test.IsTest));
    }

    [Fact]
    public void Word_to_avoid_is_found_in_the_examples_of_the_style_guide()
    {
        var page = SourceText.ReadAll().Single(text => text.Name == StyleGuide.Page);
        Assert.True(Guide.Avoided.Count(word => word.IsMatch(page.Words)) > 3);
    }

    [Theory]
    [InlineData("There is no vault.")]
    [InlineData("The token is no longer valid.")]
    public void Sentence_without_a_word_to_avoid_is_accepted(string sentence) => Assert.DoesNotContain(Guide.Avoided, word => word.IsMatch(sentence));

    [Theory]
    [InlineData("Expired_token_without_refresh_token_asks_for_sign_in", true)]
    [InlineData("Expired_token", false)]
    [InlineData("expired_token_asks", false)]
    [InlineData("A_very_long_name_that_goes_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on", false)]
    public void Test_name_must_have_the_form_of_the_style_guide(string name, bool matches) => Assert.Equal(matches, Guide.TestName.IsMatch(name));

    /// <summary>Fails with all findings. An assertion on the collection would show only the first.</summary>
    private static void RequireNone(IEnumerable<string> findings)
    {
        var list = string.Join('\n', findings);
        Assert.True(list.Length == 0, list);
    }

    private static string Excerpt(string text, int index) => text[Math.Max(0, index - 30)..Math.Min(text.Length, index + 40)];
}
