using BenchmarkDotNet.Attributes;
using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Servers;

namespace McpSm.Bench.HotPaths;

/// <summary>Measures reading the two files of the status.</summary>
public class CatalogPaths
{
    private string _folder = null!;
    private ServerCatalog _catalog = null!;
    private CredentialIndex _index = null!;

    [Params(1, 100, 1_000, 10_000)]
    public int Servers { get; set; }

    [GlobalSetup]
    public void Open()
    {
        _folder = Directory.CreateTempSubdirectory("mcpsm-bench-").FullName;
        BenchmarkEnvironment.WriteCatalog(_folder, Enumerable.Range(0, Servers).Select(n => ($"server-{n}", new Uri("https://mcp.example.com/mcp"))));
        // One entry for a sign-in to each server.
        var entry = """
            {"vault":"file","kind":"OAuth","url":"https://mcp.example.com/mcp","issuer":"https://issuer.example.com","resource":"https://mcp.example.com/mcp",
            "scopes":["mcp:tools"],"issuedAt":"2026-01-01T00:00:00+00:00","expiresAt":"2036-01-01T00:00:00+00:00","canRenew":true}
            """;
        File.WriteAllText(Path.Combine(_folder, "credentials.json"),
            "{\"version\":1,\"servers\":{" + string.Join(',', Enumerable.Range(0, Servers).Select(n => $"\"server-{n}\":{entry}")) + "}}");
        var environment = new AppEnvironment(name => name == "MCPSM_CONFIG_DIR" ? _folder : null);
        (_catalog, _index) = (new ServerCatalog(environment), new CredentialIndex(environment));
        if (_index.Read().Count != Servers || _catalog.List().Count != Servers)
        {
            throw new InvalidOperationException("The files do not have the expected content.");
        }
    }

    [GlobalCleanup]
    public void Close() => Directory.Delete(_folder, recursive: true);

    [Benchmark(Description = "read the catalog")]
    public IReadOnlyList<McpServer> Catalog() => _catalog.List();

    [Benchmark(Description = "read the index")]
    public object Facts() => _index.Read();
}
