using McpSm.Commands.Remedies;
using Xunit;

namespace McpSm.Core.Tests.Errors;

/// <summary>Commands that users paste into a shell although another program chose parts of them.</summary>
public sealed class ShellQuotingTests
{
    [Theory]
    [InlineData("https://issuer.example/tenant/")]
    [InlineData("api://3f2b-9c/mcp.tools")]
    [InlineData("secretmanagement:Store")]
    [InlineData("127-0-0-1-8080")]
    [InlineData("/run/secrets/token")]
    public void QuoteOrPlaceholder_plain_word_stays(string value) => Assert.Equal(value, ShellQuoting.QuoteOrPlaceholder(value, "<value>"));

    [Theory]
    [InlineData("secretmanagement:It's mine")]
    [InlineData("Zürich")]
    [InlineData("می‌خواهم")]
    [InlineData("👩‍💻 store")]
    // PowerShell passes these on as numbers.
    [InlineData("007")]
    [InlineData("1kb")]
    [InlineData("0x10")]
    [InlineData("1e-3")]
    [InlineData("~root")]
    [InlineData("=ls")]
    [InlineData("@file")]
    [InlineData(@"C:\Users\me\token")]
    public void QuoteOrPlaceholder_value_safe_in_double_quotes_is_quoted(string value) =>
        Assert.Equal($"\"{value}\"", ShellQuoting.QuoteOrPlaceholder(value, "<value>"));

    [Theory]
    [InlineData("")]
    [InlineData("-rf")]
    [InlineData("--allow-legacy-endpoints")]
    [InlineData("https://issuer.example/$(touch${IFS}x)")]
    [InlineData("`id`")]
    [InlineData("a;b")]
    [InlineData("a|b")]
    [InlineData("a&b")]
    [InlineData("a>b")]
    [InlineData("a*b")]
    [InlineData("a?b")]
    [InlineData("a!b")]
    [InlineData("%PATH%")]
    [InlineData("$HOME")]
    [InlineData("a\"b")]
    [InlineData("a“b")]
    [InlineData("a\\")]
    [InlineData(@"\\share\x")]
    [InlineData("a^b")]
    [InlineData("a\nb")]
    [InlineData("a\u202eb")]
    [InlineData("a\u001b[31m")]
    [InlineData("a\u009b31m")]
    [InlineData("a\u200b")]
    [InlineData("a\u00a0b")]
    public void QuoteOrPlaceholder_value_with_shell_syntax_is_replaced(string value) =>
        Assert.Equal("<value>", ShellQuoting.QuoteOrPlaceholder(value, "<value>"));

    [Fact]
    public void QuoteOrPlaceholder_lone_surrogate_is_replaced() => Assert.Equal("<value>", ShellQuoting.QuoteOrPlaceholder("a\ud800", "<value>"));

    [Theory]
    [InlineData("my-api", "--force", "mcpsm auth logout my-api --force")]
    [InlineData("my-api", "-", "mcpsm auth logout my-api -")]
    [InlineData("-rf", "", "mcpsm auth logout \"--\" -rf")]
    [InlineData("-rf", "--force", "mcpsm auth logout --force \"--\" -rf")]
    [InlineData("--help", "-", "mcpsm auth logout \"--\" --help -")]
    [InlineData("-$(id)", "--force", "mcpsm auth logout <server> --force")]
    [InlineData("$(id)", "--force", "mcpsm auth logout <server> --force")]
    [InlineData("", "", "mcpsm auth logout <server>")]
    public void NextCommand_argument_never_becomes_an_option(string id, string options, string line) =>
        Assert.Equal(line, NextCommand.For("auth logout", id, options));
}
