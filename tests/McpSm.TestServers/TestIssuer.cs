using McpSm.Samples;
using Microsoft.AspNetCore.Builder;

namespace McpSm.TestServers;

/// <summary>A real issuer with a traffic log and faults.</summary>
public sealed class TestIssuer : IAsyncDisposable
{
    private TestIssuer(AuthorizationServer server, TrafficLog traffic, Faults faults) =>
        (Server, Traffic, Faults) = (server, traffic, faults);

    public AuthorizationServer Server { get; }

    public TrafficLog Traffic { get; }

    public Faults Faults { get; }

    /// <summary>The issuer identifier.</summary>
    public string Issuer => Server.Issuer;

    /// <param name="options">The options of the issuer; null for the defaults.</param>
    /// <param name="autoApprove">Whether the issuer redirects without a consent page. Replaces the value in the options.</param>
    public static async Task<TestIssuer> StartAsync(AuthorizationServerOptions? options = null, bool autoApprove = true)
    {
        var traffic = new TrafficLog();
        var faults = new Faults();
        var server = await AuthorizationServer.StartAsync(
            (options ?? new AuthorizationServerOptions()) with { AutoApprove = autoApprove },
            app => app.Use(traffic.RecordAsync).Use(faults.ApplyAsync));
        return new TestIssuer(server, traffic, faults);
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
