namespace McpSm.Clients.Editing;

/// <summary>A text that an edit inserted.</summary>
/// <param name="Start">Where it is in the new text.</param>
/// <param name="Text">The inserted text.</param>
internal sealed record TextInsertion(int Start, string Text);
