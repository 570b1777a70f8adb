using BenchmarkDotNet.Attributes;
using McpSm.Core.Discovery;

namespace McpSm.Bench.HotPaths;

/// <summary>Measures parsing a typical challenge.</summary>
public class ChallengePath
{
    private const string Header = "Bearer realm=\"mcp\", error=\"invalid_token\", error_description=\"expired, scope=evil, log in\", "
        + "scope=\"mcp:tools mcp:resources\", resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\"";

    [Benchmark(Description = "parse a challenge")]
    public object Parse() => Challenge.ParseAll(Header);
}
