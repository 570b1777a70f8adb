using BenchmarkDotNet.Attributes;
using McpSm.Core.Configuration;
using McpSm.Core.Vaults.EncryptedFile;

namespace McpSm.Bench.HotPaths;

/// <summary>Measures the encrypted file with a key file: each token opens it, each renewal writes and flushes it.</summary>
public class VaultPaths
{
    private readonly string _item = new('x', 2_000);
    private string _folder = null!;
    private AppEnvironment _environment = null!;

    [Params(1, 100)]
    public int Items { get; set; }

    [GlobalSetup]
    public async Task Open()
    {
        _folder = Directory.CreateTempSubdirectory("mcpsm-bench-").FullName;
        _environment = new AppEnvironment(name => name is "MCPSM_CONFIG_DIR" or "HOME" ? _folder : null);
        for (var n = 0; n < Items; n++)
        {
            await new EncryptedFileVault(_environment).SetAsync($"mcpsm-server-{n}", _item, default);
        }
    }

    [GlobalCleanup]
    public void Close() => Directory.Delete(_folder, recursive: true);

    [Benchmark(Description = "open the encrypted file")]
    public Task<string?> Get() => new EncryptedFileVault(_environment).GetAsync("mcpsm-server-0", default);

    [Benchmark(Description = "write the encrypted file")]
    public Task Set() => new EncryptedFileVault(_environment).SetAsync("mcpsm-server-0", _item, default);
}
