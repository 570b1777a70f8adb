using System.Text.Json.Nodes;
using McpSm.Clients.Files;
using McpSm.Clients.Tests.Support;
using McpSm.Clients.Undo;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using Xunit;

namespace McpSm.Clients.Tests.Undo;

public sealed class ClientFileEditorTests : IDisposable
{
    private const string Start = "{\r\n\t// mine\r\n\t\"mcpServers\": {},\r\n}";

    private readonly ClientHome _home = new();

    [Fact]
    public async Task Adds_removed_in_any_order_restore_the_bytes()
    {
        _home.Text = Start;
        await _home.AddAsync("a");
        await _home.AddAsync("b", "c");
        await _home.RemoveAsync("a");
        Assert.Equal(["b", "c"], _home.Names);
        await _home.EditAsync(false, new ServerEdit("c", new() { ["command"] = "moved" }));
        await _home.RemoveAsync("c", "b");
        Assert.Equal(Start, _home.Text);
        Assert.Empty(_home.Records);
    }

    [Fact]
    public async Task Second_add_of_an_equal_entry_writes_nothing()
    {
        _home.Text = Start;
        Assert.True((await _home.AddAsync("a")).IsChange);
        FileStep.Before = step => Assert.Fail($"{step} was not expected");
        Assert.False((await _home.AddAsync("a")).IsChange);
        Assert.False((await _home.RemoveAsync("b")).IsChange);
    }

    [Fact]
    public async Task Dry_run_returns_the_change_and_writes_nothing()
    {
        _home.Text = Start;
        FileStep.Before = step => Assert.Fail($"{step} was not expected");
        var change = await _home.EditAsync(true, new ServerEdit("a", ClientHome.Entry("a")));
        Assert.Equal((Start, Start), (change.Before, _home.Text));
        Assert.Contains("\"a\": {\r\n\t\t\t\"command\"", change.After, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_home.Folder, "config")));
    }

    [Fact]
    public async Task File_that_was_created_is_removed_with_its_last_entry_and_its_folders()
    {
        using var home = new ClientHome(Path.Combine("x", "y", "mcp.json"));
        var change = await home.AddAsync("a");
        Assert.Null(change.Before);
        await home.AddAsync("b");
        await home.RemoveAsync("a");
        Assert.Equal(["b"], home.Names);
        Assert.Null((await home.RemoveAsync("b")).After);
        Assert.False(Directory.Exists(Path.Combine(home.Folder, "x")));
        Assert.Empty(home.Records);
    }

    [Fact]
    public async Task File_that_was_created_stays_if_another_program_added_to_it()
    {
        await _home.AddAsync("a");
        _home.Text = _home.Text.Replace("{\n  \"mcpServers\"", "{\n  \"theirs\": 1,\n  \"mcpServers\"", StringComparison.Ordinal);
        await _home.RemoveAsync("a");
        Assert.Equal("{\n  \"theirs\": 1\n}\n", _home.Text);
    }

    [Theory]
    [InlineData("{}", "{}")]
    [InlineData("{\"mcpServers\": {}}", "{\"mcpServers\":{},\"new\":1}")]
    public async Task File_rewritten_by_its_client_loses_the_entry_and_a_container_that_was_created(string start, string end)
    {
        _home.Text = start;
        await _home.AddAsync("a");
        // The client parses its file, and writes it in its own layout.
        var rewritten = JsonNode.Parse(_home.Text)!;
        if (start != end)
        {
            rewritten["new"] = 1;
        }
        _home.Text = rewritten.ToJsonString();
        await _home.RemoveAsync("a");
        Assert.Equal(end, _home.Text);
    }

    [Fact]
    public async Task Entry_added_after_a_change_by_another_program_is_undone_exactly()
    {
        _home.Text = Start;
        await _home.AddAsync("a");
        _home.Text = "// theirs\r\n" + _home.Text;
        var changed = _home.Text;
        await _home.AddAsync("b");
        await _home.RemoveAsync("b");
        Assert.Equal(changed, _home.Text);
        await _home.RemoveAsync("a");
        Assert.Equal("// theirs\r\n" + Start, _home.Text);
    }

    [Fact]
    public async Task Change_between_read_and_rename_survives()
    {
        _home.Text = "{\n  \"n\": 0\n}\n";
        var changes = 0;
        FileStep.Before = step =>
        {
            // Two temporary files are renamed in turn: of the record, and of the file.
            if (step == AtomicFileStep.Rename && changes < 5)
            {
                _home.Text = $"{{\n  \"n\": {++changes}\n}}\n";
            }
        };
        await _home.AddAsync("a");
        Assert.Equal(5, changes);
        Assert.Equal(5, ClientFile.Read(_home.Document)!.GetValue(["n"])!.GetValue<long>());
        Assert.Equal(["a"], _home.Names);
        await _home.RemoveAsync("a");
        Assert.Equal("{\n  \"n\": 5\n}\n", _home.Text);
    }

    [Fact]
    public async Task File_that_another_program_creates_meanwhile_is_kept_at_removal()
    {
        FileStep.Before = step =>
        {
            if (step == AtomicFileStep.Rename && !File.Exists(_home.FilePath))
            {
                _home.Text = "{\"mcpServers\": {}}";
            }
        };
        await _home.AddAsync("a");
        FileStep.Before = null;
        // Now the file differs from what was recorded, so that only the flags of the record count.
        _home.Text += "\n";
        await _home.RemoveAsync("a");
        Assert.Equal("{\"mcpServers\": {}}\n", _home.Text);
    }

    [Fact]
    public async Task File_that_changes_all_the_time_is_an_error_and_stays()
    {
        _home.Text = "{}";
        var changes = 0;
        FileStep.Before = step => _home.Text = step == AtomicFileStep.Rename ? $"{{\"n\": {++changes}}}" : _home.Text;
        var e = await Assert.ThrowsAsync<McpAuthException>(() => _home.AddAsync("a"));
        Assert.Equal($"Cannot edit '{_home.FilePath}': another program keeps changing it.", e.Message);
        Assert.Equal($"{{\"n\": {changes}}}", _home.Text);
        Assert.Empty(Directory.GetFiles(_home.Folder, "*.tmp"));
    }

    [Theory]
    [InlineData("mcp.json", "{\"mcpServers\": }", "a value is expected at line 1, column 16.")]
    [InlineData("mcp.json", "{\"mcpServers\": []}", "'mcpServers' is a list, not a map (line 1).")]
    [InlineData("mcp.toml", "a = 1\na = 2\n", "a key is defined twice at line 2, column 1.")]
    [InlineData("mcp.yaml", "a: 1\n---\nb: 2\n", "it has more than one document at line 2, column 1.")]
    public async Task Text_that_cannot_be_edited_is_refused_and_stays(string file, string text, string problem)
    {
        using var home = new ClientHome(file) { Text = text };
        var e = await Assert.ThrowsAsync<McpAuthException>(() => home.AddAsync("a"));
        Assert.Equal(ErrorReason.ConfigurationCorrupt, e.Reason);
        Assert.EndsWith($"'{home.FilePath}': {problem}", e.Message, StringComparison.Ordinal);
        Assert.Equal(text, home.Text);
        Assert.Empty(home.Records);
    }

    [Fact]
    public async Task File_in_another_encoding_is_refused_with_its_place()
    {
        File.WriteAllBytes(_home.FilePath, [0xFF, 0xFE, (byte)'{', 0]);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => _home.AddAsync("a"));
        Assert.Equal($"Cannot use '{_home.FilePath}': it is not UTF-8 text at line 1, column 1.", e.Message);
    }

    [Fact]
    public async Task Damaged_record_costs_only_the_exact_layout()
    {
        _home.Text = "{\n  \"a\": 1\n}\n";
        await _home.AddAsync("x");
        File.WriteAllText(Assert.Single(_home.Records), "{");
        await _home.RemoveAsync("x");
        Assert.Equal("{\n  \"a\": 1,\n  \"mcpServers\": {}\n}\n", _home.Text);
    }

    [Theory]
    [InlineData("mcp.json")]
    [InlineData("mcp.toml")]
    [InlineData("mcp.yaml")]
    public async Task Processes_that_edit_one_file_at_once_lose_no_entry(string file)
    {
        using var home = new ClientHome(file) { Text = "" };
        var names = Enumerable.Range(0, 3).Select(p => Enumerable.Range(0, 8).Select(i => $"p{p}-{i}").ToList()).ToList();
        var processes = names.Select(n => EditorProcess.Start(home, n)).ToList();
        foreach (var process in processes)
        {
            var error = await process.StandardError.ReadToEndAsync(Cancellation);
            await process.WaitForExitAsync(Cancellation);
            Assert.True(process.ExitCode == 0, error);
            process.Dispose();
        }
        Assert.Equal(names.SelectMany(n => n).Order(StringComparer.Ordinal), home.Names.Order(StringComparer.Ordinal));
        await home.RemoveAsync([.. names.SelectMany(n => n)]);
        Assert.Equal("", home.Text);
    }

    [Theory]
    [InlineData("b")]
    [InlineData("-a")]
    public async Task Process_killed_between_any_two_steps_leaves_a_whole_file_that_can_be_undone(string edit)
    {
        for (var step = 0; ; step++)
        {
            using var home = new ClientHome { Text = Start };
            await home.AddAsync("a");
            var before = home.Text;
            using var process = EditorProcess.Start(home, [edit], step);
            await process.WaitForExitAsync(Cancellation);
            var names = home.Names.ToList();
            Assert.Contains(string.Join(',', names), new[] { "a", "a,b", "" });
            Assert.True(home.Text == before || names is not ["a"], home.Text);
            await home.RemoveAsync("a", "b");
            Assert.Equal(Start, home.Text);
            if (process.ExitCode == 0)
            {
                // Three files: the record, the file, the record. The record is removed with the last entry.
                Assert.Equal(edit == "b" ? 15 : 11, step);
                return;
            }
        }
    }

    public void Dispose()
    {
        FileStep.Before = null;
        _home.Dispose();
    }
}
