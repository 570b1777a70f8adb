namespace McpSm.Relay.Messages;

/// <summary>A line of standard input.</summary>
/// <param name="Bytes">The line without its end; empty if it is too long.</param>
/// <param name="IsTooLong">Whether the line was longer than the limit, and was skipped.</param>
/// <param name="Id">The JSON of the id of a message that is too long; empty if it has none.</param>
internal readonly record struct Line(ReadOnlyMemory<byte> Bytes, bool IsTooLong = false, ReadOnlyMemory<byte> Id = default);
