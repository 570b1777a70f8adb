namespace McpSm.Bench.Rows;

/// <summary>Rows for the token, which other tools read before each request.</summary>
internal static class TokenRows
{
    public static async Task RunAsync(BenchmarkEnvironment environment, Report report)
    {
        const string withKeyFile = "auth token, valid, key file";
        const string withPassphrase = "auth token, valid, passphrase";
        var version = environment.Ours(environment.NewFolder(), "--version");
        if (report.Wants(withKeyFile))
        {
            var token = environment.Ours(await environment.OurFolderAsync(1), "auth", "token", "my-api");
            await report.CompareAsync(withKeyFile, token, (version, 2));
            await report.PeakAsync(withKeyFile, token);
        }
        if (report.Wants(withPassphrase))
        {
            var folder = environment.NewFolder();
            MeasuredProgram WithPassphrase(params string[] arguments)
            {
                var line = environment.Ours(folder, arguments);
                return line with { Variables = new Dictionary<string, string>(line.Variables) { ["MCPSM_VAULT_PASSPHRASE"] = "bench" } };
            }
            await WithPassphrase("add", "my-api", "--type", "http", "--url", environment.Server.McpUrl.AbsoluteUri).RunAsync();
            await (WithPassphrase("auth", "login", "my-api", "--no-browser", "--callback-port", "0") with { Follow = BenchmarkEnvironment.ClickAsync })
                .RunAsync();
            // The difference is one key derivation with 600,000 iterations.
            await report.CompareAsync(withPassphrase, WithPassphrase("auth", "token", "my-api"), (version, null));
        }
    }
}
