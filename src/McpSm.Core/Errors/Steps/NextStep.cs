namespace McpSm.Core.Errors.Steps;

/// <summary>
/// Something that the user can do next, independent of a program's commands. A new step needs a rendering in each <see cref="RemedyFormatter"/>; a
/// test checks every step against the existing commands.
/// </summary>
public abstract record NextStep
{
    /// <summary>The step in words, such as <c>sign in to 'my-api'</c>.</summary>
    protected abstract string Describe { get; }

    /// <summary>The options of the step.</summary>
    public IReadOnlyList<StepOption> Options { get; init; } = [];

    public sealed override string ToString() =>
        Options.Count == 0 ? Describe : $"{Describe} ({string.Join(", ", Options.Select(o => o.ToString()))})";
}
