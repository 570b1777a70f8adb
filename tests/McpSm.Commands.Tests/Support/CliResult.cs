using Xunit;

namespace McpSm.Commands.Tests.Support;

/// <summary>The exit code and the output of a command.</summary>
public sealed record CliResult(int Code, string Out, string Error)
{
    /// <summary>Asserts that the command succeeded.</summary>
    public CliResult Done()
    {
        Assert.True(Code == 0, $"exit code {Code}: {Error}");
        return this;
    }

    /// <summary>Asserts an exit code, exactly one error with these texts, and no result.</summary>
    public CliResult Failed(int code, params string[] says)
    {
        var errors = Error.Split('\n').Where(l => l.StartsWith('✘')).ToList();
        Assert.True(errors.Count == 1, $"exit code {Code}, errors: {errors.Count}\n{Out}\n{Error}");
        Assert.All(says, words => Assert.True(Error.Contains(words), $"'{words}' is not in:\n{Error}"));
        Assert.DoesNotContain("unexpected failure", Error);
        Assert.Equal(code, Code);
        Assert.Equal("", Out);
        return this;
    }
}
