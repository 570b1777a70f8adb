using System.Globalization;
using System.Text;
using DiffPlex;
using DiffPlex.Chunkers;
using McpSm.Clients.Undo;
using McpSm.Core.Errors;

namespace McpSm.Clients.Management;

/// <summary>Shows how a file changes, without its secrets. The file is not ours, so only the lines that differ are shown.</summary>
internal static class FileDiff
{
    private const int MaxLine = 200;

    /// <summary>Returns the lines that differ, with <c>-</c> and <c>+</c>; empty if the file stays as it is.</summary>
    /// <param name="change">The file before and after.</param>
    /// <param name="secrets">Texts that must not be shown.</param>
    public static string Create(ClientFileChange change, IReadOnlyCollection<string> secrets)
    {
        if (!change.IsChange)
        {
            return "";
        }
        var diff = Differ.Instance.CreateDiffs(change.Before ?? "", change.After ?? "", ignoreWhiteSpace: false, ignoreCase: false, LineChunker.Instance);
        var text = new StringBuilder();
        text.Append("--- ").AppendLine(change.Before is null ? "(no file)" : change.Path);
        text.Append("+++ ").AppendLine(change.After is null ? "(no file)" : change.Path);
        foreach (var block in diff.DiffBlocks)
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"@@ -{block.DeleteStartA + 1},{block.DeleteCountA} +{block.InsertStartB + 1},{block.InsertCountB} @@");
            var (before, after) = (diff.PiecesOld.Skip(block.DeleteStartA).Take(block.DeleteCountA).ToList(),
                diff.PiecesNew.Skip(block.InsertStartB).Take(block.InsertCountB).ToList());
            foreach (var line in before)
            {
                text.Append('-').AppendLine(Show(line, after, secrets));
            }
            foreach (var line in after)
            {
                text.Append('+').AppendLine(Show(line, before, secrets));
            }
        }
        return text.ToString();
    }

    // A file may be one long line. What both sides have in common is left out, because it is of others.
    private static string Show(string line, IReadOnlyList<string> otherSide, IReadOnlyCollection<string> secrets)
    {
        if (line.Length > MaxLine && otherSide.Count == 1)
        {
            var other = otherSide[0];
            var start = line.AsSpan().CommonPrefixLength(other);
            var end = 0;
            while (end < Math.Min(line.Length, other.Length) - start && line[^(end + 1)] == other[^(end + 1)])
            {
                end++;
            }
            line = $"{(start > 0 ? "…" : "")}{line[start..^end]}{(end > 0 ? "…" : "")}";
        }
        // Redact skips short texts, because they also occur in words.
        return secrets.Any(secret => secret.Length is > 0 and < 8 && line.Contains(secret, StringComparison.Ordinal)) ? "…"
            : UntrustedText.SanitizeLine(UntrustedText.Redact(line.TrimEnd('\r'), secrets));
    }
}
