using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using McpSm.Core.Errors.Steps;

namespace McpSm.Core.Errors;

/// <summary>
/// What to do about a failure, as text and typed steps. Core does not name commands: a <see cref="RemedyFormatter"/> of the program that shows the
/// remedy renders each step as a command of that program. An interpolated string that contains steps converts to this type.
/// </summary>
[InterpolatedStringHandler]
public sealed class Remedy
{
    // Each part is a string, a NextStep or a StepOption.
    private readonly List<object> _parts;

    public Remedy(int literalLength, int formattedCount) => _parts = new List<object>(literalLength > 0 ? (2 * formattedCount) + 1 : formattedCount);

    private Remedy(object part) => _parts = [part];

    internal Remedy(NextStep step) : this((object)step)
    {
    }

    [return: NotNullIfNotNull(nameof(text))]
    public static implicit operator Remedy?(string? text) => text is null ? null : new Remedy(text);

    public void AppendLiteral(string text) => _parts.Add(text);

    public void AppendFormatted(string? text) => _parts.Add(text ?? "");

    internal void AppendFormatted(NextStep step) => _parts.Add(step);

    internal void AppendFormatted(StepOption option) => _parts.Add(option);

    public void AppendFormatted(Remedy? remedy) => _parts.AddRange(remedy?._parts ?? []);

    public void AppendFormatted<T>(T value, string? format = null) where T : IFormattable =>
        _parts.Add(value.ToString(format, CultureInfo.InvariantCulture));

    /// <summary>Returns the text with its steps described in words, for programs without commands.</summary>
    public override string ToString() => string.Concat(_parts);

    internal string Render(Func<NextStep, string> step, Func<StepOption, string> option) => string.Concat(_parts.Select(part => part switch
    {
        NextStep next => step(next),
        StepOption named => option(named),
        _ => (string)part,
    }));
}
