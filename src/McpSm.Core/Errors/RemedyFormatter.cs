using System.Diagnostics.CodeAnalysis;
using McpSm.Core.Errors.Steps;

namespace McpSm.Core.Errors;

/// <summary>Renders remedies with the commands of one program. Each result is one sanitized line.</summary>
internal abstract class RemedyFormatter
{
    /// <summary>Describes steps in words. A program that has commands uses its own formatter.</summary>
    public static RemedyFormatter Plain { get; } = new PlainFormatter();

    [return: NotNullIfNotNull(nameof(remedy))]
    public string? Format(Remedy? remedy) => remedy is null ? null : UntrustedText.SanitizeLine(remedy.Render(Render, Render));

    /// <summary>Returns the message of a failure, followed by its remedy.</summary>
    public string Explain(McpAuthException failure) =>
        failure.Remedy is null ? failure.Message : $"{failure.Message} {Format(failure.Remedy)}";

    /// <summary>
    /// Returns the command for this step. A placeholder such as <c>&lt;url&gt;</c> replaces a value that is unknown or not safe to paste.
    /// </summary>
    protected abstract string Render(NextStep step);

    /// <summary>Returns an option as the user writes it after the command.</summary>
    protected abstract string Render(StepOption option);

    private sealed class PlainFormatter : RemedyFormatter
    {
        protected override string Render(NextStep step) => step.ToString();

        protected override string Render(StepOption option) => option.ToString();
    }
}
