namespace McpSm.Bench.Rows;

/// <summary>Rows for the token, which other tools read before each request.</summary>
internal static class TokenRows
{
    public static async Task RunAsync(Place place, Report report)
    {
        const string withKeyFile = "auth token, valid, key file";
        const string withPassphrase = "auth token, valid, passphrase";
        var version = place.Ours(place.NewFolder(), "--version");
        if (report.Wants(withKeyFile))
        {
            var token = place.Ours(await place.OurFolderAsync(1), "auth", "token", "my-api");
            await report.CompareAsync(withKeyFile, token, (version, 2));
            await report.PeakAsync(withKeyFile, token);
        }
        if (report.Wants(withPassphrase))
        {
            var folder = place.NewFolder();
            Line WithPassphrase(params string[] arguments)
            {
                var line = place.Ours(folder, arguments);
                return line with { Variables = new Dictionary<string, string>(line.Variables) { ["MCPSM_VAULT_PASSPHRASE"] = "bench" } };
            }
            await WithPassphrase("add", "my-api", "--type", "http", "--url", place.Server.McpUrl.AbsoluteUri).RunAsync();
            await (WithPassphrase("auth", "login", "my-api", "--no-browser", "--callback-port", "0") with { Follow = Place.ClickAsync }).RunAsync();
            // The difference is one key derivation with 600,000 iterations.
            await report.CompareAsync(withPassphrase, WithPassphrase("auth", "token", "my-api"), (version, null));
        }
    }
}
