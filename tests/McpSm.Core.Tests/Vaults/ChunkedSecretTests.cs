using System.Text;
using CsCheck;
using McpSm.Core.Vaults.Windows;
using Xunit;

namespace McpSm.Core.Tests.Vaults;

public sealed class ChunkedSecretTests
{
    private const string Generation = "0123456789abcdef";

    // Lengths near the limits, in characters of one to four bytes, so that many parts end within a character.
    private static readonly Gen<string> Text = Gen.Select(
        Gen.OneOf(Gen.Int[0, 12], Gen.Int[2540, 2570], Gen.Int[5110, 5130], Gen.Int[2560, 16000]), Gen.OneOf("x", "é", "日", "😀"), Gen.Int[0, 4])
        .Select((length, unit, before) => new string('.', before) + string.Concat(Enumerable.Repeat(unit, length / Encoding.UTF8.GetByteCount(unit))));

    private static readonly Gen<string> Long = Text.Where(t => Encoding.UTF8.GetByteCount(t) >= ChunkedSecret.EntryBytes);

    [Fact]
    public void Chunked_text_is_joined_again_and_entries_keep_the_limit() => Text.Sample(text =>
    {
        var (head, parts) = Cut(text);
        Assert.All(parts.Append(head), entry => Assert.InRange(entry.Length, 1, ChunkedSecret.EntryBytes));
        Assert.Equal(text, parts.Count == 0 ? ChunkedSecret.TextOf(head) : ChunkedSecret.Read(head)!.Join(parts));
        Assert.Equal(parts.Count == 0, ChunkedSecret.Read(head) is null);
    }, iter: 1000);

    [Fact]
    public void Longest_text_is_chunked_and_joined_again()
    {
        var text = new string('x', ChunkedSecret.MaxBytes);
        var (head, parts) = Cut(text);
        Assert.Equal((26, text), (parts.Count, ChunkedSecret.Read(head)!.Join(parts)));
    }

    [Fact]
    public void Missing_altered_truncated_or_moved_part_is_detected() =>
        Gen.Select(Long, Gen.Int[0, 9999], Gen.Int[0, 9999], Gen.Int[1, 255]).Sample((text, which, where, with) =>
        {
            var (raw, parts) = Cut(text);
            var head = ChunkedSecret.Read(raw)!;
            which %= parts.Count;
            Assert.Null(head.Join(parts.Where((_, i) => i != which)));
            var altered = (byte[])parts[which].Clone();
            altered[where % altered.Length] ^= (byte)with;
            Assert.Null(head.Join(parts.Select((p, i) => i == which ? altered : p)));
            Assert.Null(head.Join(parts.Select((p, i) => i == which ? p[..^1] : p)));
            Assert.Null(head.Join(parts.Append([1])));
            byte[][] moved = [.. parts.Skip(1), parts[0]];
            Assert.Equal(moved.SelectMany(p => p).SequenceEqual(parts.SelectMany(p => p)), head.Join(moved) is not null);
        }, iter: 1000);

    [Fact]
    public void Parts_of_another_secret_of_the_same_length_are_detected() => Long.Sample(text =>
    {
        var other = (text[0] == '.' ? ',' : '.') + text[1..];
        if (Encoding.UTF8.GetByteCount(other) == Encoding.UTF8.GetByteCount(text))
        {
            Assert.Null(ChunkedSecret.Read(Cut(text).Head)!.Join(Cut(other).Parts));
        }
    }, iter: 300);

    [Fact]
    public void Head_with_a_changed_bit_reads_as_another_set_or_not_at_all() => Gen.Select(Long, Gen.Int[0, 9999], Gen.Int[0, 7]).Sample((text, at, bit) =>
    {
        var (head, parts) = Cut(text);
        var whole = ChunkedSecret.Read(head)!;
        head[at % head.Length] ^= (byte)(1 << bit);
        var read = ChunkedSecret.Read(head);
        Assert.NotEqual(whole, read);
        // Another generation names other parts. After any other change, the parts do not match the head.
        Assert.True(read is null || read.Generation != whole.Generation || read.Join(parts) is null);
        Assert.NotEqual(text, ChunkedSecret.TextOf(head));
    }, iter: 1000);

    [Fact]
    public void Random_bytes_as_a_head_never_throw() =>
        Gen.OneOf(Gen.Byte.Array[0, 120], Gen.String[Gen.Char["#= 0123456789abcdefABCDEF+-"], 0, 120].Select(Encoding.UTF8.GetBytes)).Sample(bytes =>
        {
            _ = ChunkedSecret.TextOf(bytes);
            return ChunkedSecret.Read(bytes) is not { } read || read.Parts <= 26;
        }, iter: 3000);

    private static (byte[] Head, IReadOnlyList<byte[]> Parts) Cut(string text) => ChunkedSecret.ToChunks(Encoding.UTF8.GetBytes(text), Generation);
}
