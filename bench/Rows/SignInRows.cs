namespace McpSm.Bench.Rows;

/// <summary>Rows for commands with requests, to an issuer and a server that respond at once.</summary>
internal static class SignInRows
{
    public static async Task RunAsync(Place place, Report report)
    {
        const string refresh = "auth refresh";
        const string login = "auth login, approved at once";
        const string test = "test";
        if (!report.Wants(refresh) && !report.Wants(login) && !report.Wants(test))
        {
            return;
        }
        var (ours, peers) = (await place.OurFolderAsync(1), await place.PeerFolderAsync(1));
        await report.CompareAsync(refresh, place.Ours(ours, "auth", "refresh", "my-api"), (place.Peer(peers, "auth", "refresh", "my-api"), 0.15));
        await report.CompareAsync(login, place.Ours(ours, "auth", "login", "my-api", "--no-browser", "--callback-port", "0") with { Follow = Place.ClickAsync },
            (place.Peer(peers, "auth", "login", "my-api", "--no-browser") is { } peer ? peer with
            {
                Follow = Place.ClickAsync,
                // The npm tool does nothing if the token is valid.
                Before = () => File.Delete(Path.Combine(peers, "oauth-tokens.json")),
            } : null, 0.2));
        await report.CompareAsync(test, place.Ours(ours, "test", "my-api"), (place.Peer(peers, "test", "my-api"), 0.1));
        await report.PeakAsync(login, place.Ours(ours, "auth", "login", "my-api", "--no-browser", "--callback-port", "0") with { Follow = Place.ClickAsync });
        await report.PeakAsync(test, place.Ours(ours, "test", "my-api"));
    }
}
