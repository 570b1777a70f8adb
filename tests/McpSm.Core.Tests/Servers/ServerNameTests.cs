using System.Security.Cryptography;
using System.Text;
using CsCheck;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Support;
using Xunit;

namespace McpSm.Core.Tests.Servers;

public sealed class ServerNameTests
{
    [Theory]
    [InlineData("日本")]
    [InlineData("Мой сервер")]
    [InlineData("خادم")]
    [InlineData("می\u200cخواهم")]
    [InlineData("שרת")]
    [InlineData("सर्वर")]
    [InlineData("서버")]
    [InlineData("Ö")]
    [InlineData("٣٤")]
    [InlineData("日本-")]
    public void Name_of_another_script_gets_an_id_of_its_hash(string name) =>
        Assert.Equal($"server-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..8]}", ServerName.ToSlug(name));

    [Theory]
    [InlineData("日本 api", "api")]
    [InlineData("日本-2", "2")]
    [InlineData("été", "t")]
    [InlineData("Müller", "mller")]
    [InlineData("API 🚀", "api-")]
    public void Name_with_ASCII_letters_and_digits_gets_an_id_of_them(string name, string id) => Assert.Equal(id, ServerName.ToSlug(name));

    [Theory]
    [InlineData("日本 status")]
    [InlineData("Ölogin")]
    public void Name_that_only_contains_a_verb_is_accepted(string name) => Assert.Matches("^server-[0-9a-f]{8}$", ServerName.ToSlug(name));

    [Fact]
    public void Name_that_was_accepted_before_keeps_its_id()
    {
        var word = Gen.OneOf("my", "api", "My API", "status", "LOGIN", "set",
            " ", "-", ".", "!", "é", "日本", "Ж", "_", "7", "\u200d", "\u212a", "İ", "🎉");
        var accepted = 0;
        Gen.OneOf(word.Array[0, 6].Select(string.Concat), Gen.String[0, 70]).Sample(name =>
        {
            if (IdBefore(name) is { } before)
            {
                Interlocked.Increment(ref accepted);
                Assert.Equal(before, ServerName.ToSlug(name));
            }
        }, iter: 5000);
        Assert.True(accepted > 500, $"only {accepted} names were accepted before");
    }

    [Theory]
    [InlineData("Caf\u00e9", "Cafe\u0301")]
    [InlineData("\ud55c\uad6d", "\u1112\u1161\u11ab\u1100\u116e\u11a8")]
    [InlineData("\u00c5", "\u212b")]
    [InlineData("\u304c", "\u304b\u3099")]
    [InlineData("\u1e69", "s\u0307\u0323")]
    [InlineData("\u0928\u093c", "\u0929", false)]
    [InlineData("\U0001109a", "\U00011099\U000110ba")]
    public void Names_that_differ_in_accent_encoding_are_the_same(string name, string other, bool isComposed = true)
    {
        Assert.True(ServerName.AreSame(name, other));
        Assert.Equal(isComposed ? name : other, UnicodeNormalizer.Compose(other));
    }

    [Theory]
    [InlineData("\u00c5", "\u212b")]
    [InlineData("\ud55c", "\u1112\u1161\u11ab")]
    [InlineData("\u304c", "\u304b\u3099")]
    public void Names_that_differ_in_accent_encoding_get_the_same_hash(string name, string other) =>
        Assert.Equal(ServerName.ToSlug(name), ServerName.ToSlug(other));

    [Theory]
    [InlineData("a\u0000b", "a")]
    [InlineData("\ud800", "\ufffd")]
    [InlineData("\udc00\ud800", "\ufffd\ufffd")]
    [InlineData("\u00e9\ud800", "e\u0301\ufffd")]
    [InlineData("\u00e9\u0000a", "\u00e9")]
    public void Text_that_cannot_be_normalized_is_another_name(string text, string other) => Assert.False(ServerName.AreSame(text, other));

    [Fact]
    public async Task Numbered_id_is_at_most_64_characters()
    {
        using var work = new TestEnvironment();
        var name = new string('a', 64);
        await work.AddAsync(new Uri("https://a.example/mcp"), s => new(s) { Name = name });
        var second = await work.AddAsync(new Uri("https://b.example/mcp"), s => new(s) { Name = $"{name[..63]}é" });
        var third = await work.AddAsync(new Uri("https://c.example/mcp"), s => new(s) { Name = $"é{name[..63]}" });
        Assert.Equal((new string('a', 63), $"{name[..62]}-1"), (second.Id, third.Id));
    }

    [Fact]
    public async Task Names_with_the_same_hash_get_different_ids()
    {
        using var work = new TestEnvironment();
        var id = ServerName.ToSlug("日本");
        await work.AddAsync(new Uri("https://a.example/mcp"), s => new(s) { Name = id });
        Assert.Equal($"{id}-1", (await work.AddAsync(new Uri("https://b.example/mcp"), s => new(s) { Name = "日本" })).Id);
    }

    /// <summary>Returns the id by the rules before names of other scripts were accepted, or null if they refused the name.</summary>
    private static string? IdBefore(string name)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > 64 || name != UntrustedText.Sanitize(name))
        {
            return null;
        }
        var id = string.Concat(name.ToLowerInvariant().Select(c => c is ' ' ? '-' : c)
            .Where(c => c == '-' || char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c)));
        return id.Any(char.IsAsciiLetterOrDigit) && !id.StartsWith('-') && !ServerName.Reserved.Contains(id) ? id : null;
    }
}
