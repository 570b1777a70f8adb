using System.Diagnostics.CodeAnalysis;
using McpSm.Core.Errors.Steps;

namespace McpSm.Core.Errors;

/// <summary>Renders remedies with the commands of one program. Every text comes out as one clean line.</summary>
public abstract class RemedyFormatter
{
    /// <summary>Says steps in words. A program with commands of its own has its own formatter.</summary>
    public static RemedyFormatter Plain { get; } = new WordsFormatter();

    [return: NotNullIfNotNull(nameof(remedy))]
    public string? Format(Remedy? remedy) => remedy is null ? null : UntrustedText.SanitizeLine(remedy.Render(Render, Render));

    /// <summary>The message of a failure, and behind it what to do.</summary>
    public string Explain(McpAuthException failure) =>
        failure.Remedy is null ? failure.Message : $"{failure.Message} {Format(failure.Remedy)}";

    /// <summary>The command that takes this step. A placeholder such as <c>&lt;url&gt;</c> stands for what is not known or cannot be pasted safely.</summary>
    protected abstract string Render(NextStep step);

    /// <summary>An option as it is written behind a command.</summary>
    protected abstract string Render(StepOption option);

    private sealed class WordsFormatter : RemedyFormatter
    {
        protected override string Render(NextStep step) => step.ToString();

        protected override string Render(StepOption option) => option.ToString();
    }
}
