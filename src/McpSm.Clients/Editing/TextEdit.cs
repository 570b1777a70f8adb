namespace McpSm.Clients.Editing;

/// <summary>The result of an edit.</summary>
/// <param name="Text">The whole new text.</param>
/// <param name="Insertions">What was inserted, in the order of the text. Empty if the edit also removed or replaced text.</param>
internal sealed record TextEdit(string Text, IReadOnlyList<TextInsertion> Insertions);
