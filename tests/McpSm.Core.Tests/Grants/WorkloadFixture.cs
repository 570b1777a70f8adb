using McpSm.Core.Grants;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;

namespace McpSm.Core.Tests.Grants;

/// <summary>A fixture without a user, and a platform that gives a workload its assertion in a file.</summary>
public sealed class WorkloadFixture : IAsyncDisposable
{
    private WorkloadFixture(WorkloadPlatform platform, SignInFixture scene) => (Platform, Scene) = (platform, scene);

    public WorkloadPlatform Platform { get; }

    public SignInFixture Scene { get; }

    public string File => Path.Combine(Scene.Work.Folder, "assertion");

    public ClientCredentials Workload => new(Assertion: WorkloadAssertionSource.FromFile(File));

    /// <summary>The requests to the token endpoint, all of which use this grant.</summary>
    public IReadOnlyList<RecordedRequest> Requests => Scene.Issuer.Traffic.To("/token");

    public static async Task<WorkloadFixture> StartAsync(string algorithm = "ES256", ManualTimeProvider? clock = null, bool refuseReplays = false,
        Func<AuthorizationServerOptions, AuthorizationServerOptions>? issuer = null, Func<McpServer, McpServer>? server = null)
    {
        var platform = await WorkloadPlatform.StartAsync(algorithm, clock);
        var options = new AuthorizationServerOptions
        {
            TrustedPlatforms = [platform.Trusted with { RefuseReplays = refuseReplays }],
            ScopesSupported = ["mcp:tools", "mcp:write", "offline_access"],
        };
        var scene = new WorkloadFixture(platform, await SignInFixture.StartAsync(issuer is null ? options : issuer(options), server: server, clock: clock));
        scene.Scene.Person.CanAnswer = false;
        scene.Put();
        return scene;
    }

    public static async Task<WorkloadFixture> SignedInAsync(ManualTimeProvider? clock = null, bool refuseReplays = false)
    {
        var scene = await StartAsync(clock: clock, refuseReplays: refuseReplays);
        await scene.Scene.LoginAsync(scene.As);
        return scene;
    }

    public SignInOptions As(SignInOptions o) => o with { ClientCredentials = Workload };

    /// <summary>Writes an assertion with a line end to the file, as a shell does. By default, it is new and valid.</summary>
    public string Put(string? assertion = null)
    {
        assertion ??= Platform.Sign(Scene.Issuer.Issuer);
        System.IO.File.WriteAllText(File, assertion + "\n");
        return assertion;
    }

    public async ValueTask DisposeAsync()
    {
        await Scene.DisposeAsync();
        await Platform.DisposeAsync();
    }
}
