namespace McpSm.Bench.Rows;

/// <summary>Rows for commands with requests, to an issuer and a server that respond at once.</summary>
internal static class SignInRows
{
    public static async Task RunAsync(BenchmarkEnvironment environment, Report report)
    {
        const string refresh = "auth refresh";
        const string login = "auth login, approved at once";
        const string test = "test";
        if (!report.Wants(refresh) && !report.Wants(login) && !report.Wants(test))
        {
            return;
        }
        var (ours, peers) = (await environment.OurFolderAsync(1), await environment.PeerFolderAsync(1));
        await report.CompareAsync(refresh, environment.Ours(ours, "auth", "refresh", "my-api"), (environment.Peer(peers, "auth", "refresh", "my-api"), 0.15));
        await report.CompareAsync(login,
            environment.Ours(ours, "auth", "login", "my-api", "--no-browser", "--callback-port", "0") with { Follow = BenchmarkEnvironment.ClickAsync },
            (environment.Peer(peers, "auth", "login", "my-api", "--no-browser") is { } peer ? peer with
            {
                Follow = BenchmarkEnvironment.ClickAsync,
                // The npm tool does nothing if the token is valid.
                Before = () => File.Delete(Path.Combine(peers, "oauth-tokens.json")),
            } : null, 0.2));
        await report.CompareAsync(test, environment.Ours(ours, "test", "my-api"), (environment.Peer(peers, "test", "my-api"), 0.1));
        await report.PeakAsync(login,
            environment.Ours(ours, "auth", "login", "my-api", "--no-browser", "--callback-port", "0") with { Follow = BenchmarkEnvironment.ClickAsync });
        await report.PeakAsync(test, environment.Ours(ours, "test", "my-api"));
    }
}
