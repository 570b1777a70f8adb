namespace McpSm.Core.Errors.Steps;

/// <summary>An option of a step.</summary>
/// <param name="Kind">What the option sets.</param>
/// <param name="Values">The value to set; empty for a switch, or if only the user knows the value.</param>
internal sealed record StepOption(StepOptionKind Kind, params IReadOnlyList<string> Values)
{
    /// <summary>A value from our code that the user completes, such as <c>https://…</c>. It is shown unchanged.</summary>
    public string? Template { get; init; }

    public static implicit operator StepOption(StepOptionKind kind) => new(kind);

    /// <summary>Returns the option in words.</summary>
    public override string ToString() => $"{Kind} {Template ?? string.Join(' ', Values.Select(UntrustedText.Sanitize))}".TrimEnd();
}
