using McpSm.Commands.Remedies;
using McpSm.Core.Errors;

namespace McpSm.Core.Tests.Errors;

/// <summary>Formats remedies as the user of a shell sees them.</summary>
internal static class RemedyText
{
    public static string? InShell(this Remedy? remedy) => CliRemedyFormatter.Instance.Format(remedy);
}
