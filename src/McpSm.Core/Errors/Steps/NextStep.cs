using System.Diagnostics.CodeAnalysis;

namespace McpSm.Core.Errors.Steps;

/// <summary>
/// Something that the user can do next, independent of a program's commands. A new step needs a rendering in each <see cref="RemedyFormatter"/>; a
/// test checks every step against the existing commands.
/// </summary>
internal abstract record NextStep
{
    /// <summary>The step in words, such as <c>sign in to 'my-api'</c>.</summary>
    protected abstract string Describe { get; }

    /// <summary>The options of the step.</summary>
    public IReadOnlyList<StepOption> Options { get; init; } = [];

    /// <summary>A remedy with this step alone.</summary>
    [return: NotNullIfNotNull(nameof(step))]
    public static implicit operator Remedy?(NextStep? step) => step is null ? null : new Remedy(step);

    public sealed override string ToString() =>
        Options.Count == 0 ? Describe : $"{Describe} ({string.Join(", ", Options.Select(o => o.ToString()))})";
}
