using McpSm.Commands.Remedies;
using McpSm.Core.Errors;

namespace McpSm.Core.Tests.Errors;

/// <summary>Remedies as a user of the shell reads them.</summary>
internal static class RemedyText
{
    public static string? InShell(this Remedy? remedy) => CliRemedyFormatter.Instance.Format(remedy);
}
