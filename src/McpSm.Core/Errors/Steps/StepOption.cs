namespace McpSm.Core.Errors.Steps;

/// <summary>An option of a step.</summary>
/// <param name="Values">What to set; empty for a switch, and if only the user can know it.</param>
public sealed record StepOption(StepOptionKind Kind, params IReadOnlyList<string> Values)
{
    /// <summary>A value of our own that the user completes, such as <c>https://…</c>. It is shown as it is.</summary>
    public string? Template { get; init; }

    public static implicit operator StepOption(StepOptionKind kind) => new(kind);

    /// <summary>The option in words.</summary>
    public override string ToString() => $"{Kind} {Template ?? string.Join(' ', Values.Select(UntrustedText.Sanitize))}".TrimEnd();
}
