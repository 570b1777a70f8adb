using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using McpSm.Clients.Tests.Support;
using McpSm.Clients.Undo;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Clients.Tests.Formats;

/// <summary>The record of what was added to a file of a client. A later Mcpsm must undo what this one has added.</summary>
public sealed class UndoRecordFormatTests
{
    private static readonly GoldenFile Golden = new("McpSm.Clients.Tests", "client-undo.json");

    [Fact]
    public void Record_is_read_and_written_as_in_the_golden_file()
    {
        var record = JsonSerializer.Deserialize(Golden.Bytes, UndoJsonContext.Default.UndoRecord)!;
        var add = Assert.Single(Assert.Single(record.States).Adds);
        Assert.Equal(("my-api", 1, "text", " "), (add.Name, add.Insertions[0].Start, add.Insertions[0].Text, add.Insertions[0].Replaced));
        Golden.RequireEqual(JsonSerializer.SerializeToUtf8Bytes(record, UndoJsonContext.Default.UndoRecord));
    }

    [Fact]
    public async Task Record_has_the_name_of_the_hash_of_the_path()
    {
        using var home = new ClientHome { Text = "{}" };
        await home.AddAsync("a");
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(home.FilePath)))[..32];
        Assert.Equal([hash + ".json"], home.Records.Select(r => Path.GetFileName(r)));
    }

    [Fact]
    public async Task Record_of_an_earlier_edit_is_undone_to_the_bytes()
    {
        using var home = new ClientHome { Text = "{\"mcpServers\": { \"a\": {} }}" };
        await home.AddAsync("unused");
        var record = Assert.Single(home.Records);
        // As an earlier version may have written it: with another layout of the entry.
        home.Text = "{\"mcpServers\": {\"a\":{}}}";
        var state = new UndoState
        {
            Hash = UndoStore.Hash(Encoding.UTF8.GetBytes(home.Text)),
            Adds = [new() { Container = ["mcpServers"], Name = "a", Insertions = [new() { Start = 16, Text = "\"a\":{}", Replaced = " /**/ " }] }],
        };
        var written = new UndoRecord { Path = home.FilePath, States = [state] };
        await File.WriteAllBytesAsync(record, JsonSerializer.SerializeToUtf8Bytes(written, UndoJsonContext.Default.UndoRecord), Cancellation);
        await home.RemoveAsync("a");
        Assert.Equal("{\"mcpServers\": { /**/ }}", home.Text);
    }
}
