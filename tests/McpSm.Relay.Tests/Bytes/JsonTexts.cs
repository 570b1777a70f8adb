using CsCheck;

namespace McpSm.Relay.Tests.Bytes;

/// <summary>JSON texts as no serializer writes them: all number forms, escapes that are not needed, unknown members, spaces.</summary>
internal static class JsonTexts
{
    private static readonly Gen<string> Space = Gen.Frequency((6, Gen.Const("")), (1, Gen.OneOf(" ", "\t", "  ")));

    private static readonly Gen<string> Piece = Gen.OneOf(
        Gen.Char[' ', '~'].Where(c => c is not ('"' or '\\')).Select(c => c.ToString()),
        Gen.OneOf("道具", "é", "😀", "\u2028", "\u007f", "\u00a0", "\ufeff", "\ufffd"),
        Gen.OneOf("\\n", "\\r\\n", "\\t", "\\/", "\\\"", "\\\\", "\\b", "\\u0000", "\\u00e9", "\\u00E9", "\\ud83d\\ude00", "\\ud800",
            "\\u2028", "data: ", "id: 1"));

    private static readonly Gen<string> Number = Gen.OneOf(
        Gen.Int.Select(number => number.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        Gen.OneOf("0", "-0", "1.0", "1.50", "1e2", "1E+2", "-1.5e-7", "1e400", "12345678901234567890123", "9007199254740993",
            "0.1000000000000000055511151231257827"));

    /// <summary>A string with its quotes.</summary>
    public static Gen<string> Text { get; } = Piece.List[0, 12].Select(pieces => $"\"{string.Concat(pieces)}\"");

    /// <summary>An id of JSON-RPC: a number or a string. Half a surrogate pair is tested elsewhere.</summary>
    public static Gen<string> Id { get; } = Gen.OneOf(Number, Text.Where(text => !text.Contains("\\ud800", StringComparison.Ordinal)));

    public static Gen<string> Value { get; } = Nest(3);

    /// <summary>An object whose members are those given, in any order and among unknown ones.</summary>
    public static Gen<string> Object(params Gen<string>[] members) =>
        Gen.Select(Gen.Shuffle(members).SelectMany(Sequence), Unknown.List[0, 3], Space, (known, unknown, space) =>
        "{" + space + string.Join(space + "," + space, known.Concat(unknown)) + space + "}");

    public static Gen<string> Member(string name, Gen<string> value) => Gen.Select(value, Space, (text, space) => $"\"{name}\"{space}:{space}{text}");

    private static Gen<string> Unknown { get; } = Gen.Select(Gen.Int[0, 1_000_000], Value, Space, (n, value, space) => $"\"x{n}-道\"{space}:{space}{value}");

    private static Gen<string> Nest(int depth)
    {
        var leaf = Gen.OneOf(Text, Number, Gen.OneOf("null", "true", "false", "[]", "{}", "[ ]"));
        if (depth == 0)
        {
            return leaf;
        }
        var inner = Nest(depth - 1);
        return Gen.Frequency((3, leaf),
            (1, Gen.Select(inner.List[0, 4], Space, (items, space) => $"[{space}{string.Join(space + "," + space, items)}{space}]")),
            (1, Gen.Select(Gen.Select(Text, inner).List[0, 4], Space, (members, space) =>
                "{" + string.Join(",", members.Select(member => $"{space}{member.Item1}{space}:{space}{member.Item2}{space}")) + "}")));
    }

    private static Gen<List<string>> Sequence(Gen<string>[] parts) => parts.Aggregate(Gen.Const(new List<string>()),
        (all, part) => Gen.Select(all, part, (list, text) => (List<string>)[.. list, text]));
}
