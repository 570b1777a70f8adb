namespace McpSm.Clients.Editing;

/// <summary>A text that an edit inserted.</summary>
/// <param name="Start">The position in the new text.</param>
/// <param name="Text">The inserted text.</param>
/// <param name="Replaced">The old text at this position: blank text, or a value that stands for nothing, such as <c>{}</c> or <c>null</c>.</param>
internal sealed record TextInsertion(int Start, string Text, string Replaced = "");
