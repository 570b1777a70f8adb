namespace McpSm.FaultBench;

/// <summary>Runs eight processes at once in many rounds. Before each round the clocks move until every token has expired.</summary>
internal static class RenewalRows
{
    private const int Processes = 8;

    public static async Task RunAsync(FaultOptions options, FaultReport report)
    {
        await OneServerAsync(options, report);
        await EightServersAsync(options, report);
    }

    private static async Task OneServerAsync(FaultOptions options, FaultReport report)
    {
        var rounds = options.Rounds(500);
        await using var shop = await FaultEnvironment.OpenAsync(options, ["shared"]);
        await shop.SignInAsync("shared");
        await using var crowd = await Crowd.GatherAsync(shop);
        var (wrong, requests) = (new List<string>(), 0);
        for (var round = 0; round < rounds; round++)
        {
            var answers = await crowd.RoundAsync(_ => "token shared");
            var sent = shop.Issuer.Traffic.OfGrant("refresh_token").Count;
            requests += sent;
            if (sent != 1)
            {
                wrong.Add($"{sent} refresh requests in a round");
            }
            if (answers.Distinct().ToList() is not [{ } one] || !one.StartsWith("ok ", StringComparison.Ordinal)
                || shop.Issuer.Server.Introspect(one[3..]) is not { Active: true })
            {
                wrong.Add("not all ended with the one valid token");
            }
        }
        report.Row("8 processes, one refresh token", $"{rounds} rounds, {requests} refresh requests, {rounds * Processes} tokens asked for", wrong);
    }

    private static async Task EightServersAsync(FaultOptions options, FaultReport report)
    {
        var rounds = options.Rounds(500);
        var ids = Enumerable.Range(0, Processes).Select(i => $"server-{i}").ToList();
        await using var shop = await FaultEnvironment.OpenAsync(options, ids);
        foreach (var id in ids)
        {
            await shop.SignInAsync(id);
        }
        await using var crowd = await Crowd.GatherAsync(shop);
        var (wrong, lost) = (new List<string>(), 0);
        for (var round = 0; round < rounds; round++)
        {
            var answers = await crowd.RoundAsync(i => $"token {ids[i]}");
            for (var i = 0; i < ids.Count; i++)
            {
                var info = shop.Store.Index.Read(ids[i]);
                var kept = (await shop.ItemAsync(ids[i]))?.OAuth;
                if (answers[i] != "ok " + kept?.AccessToken || info?.ExpiresAt != kept?.ExpiresAt)
                {
                    lost++;
                    wrong.Add("an update is lost");
                }
            }
        }
        report.Row("8 processes, 8 servers", $"{rounds} rounds, {rounds * Processes} renewals, {lost} lost", wrong);
    }

    private sealed class Crowd(FaultEnvironment shop, List<WorkerProcess> workers) : IAsyncDisposable
    {
        private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

        public static async Task<Crowd> GatherAsync(FaultEnvironment shop)
        {
            var workers = new List<WorkerProcess>();
            for (var i = 0; i < Processes; i++)
            {
                workers.Add(await shop.WorkerAsync());
            }
            return new Crowd(shop, workers);
        }

        public async Task<IReadOnlyList<string?>> RoundAsync(Func<int, string> command)
        {
            shop.Clock.Ahead += Lifetime;
            shop.Issuer.Traffic.Clear();
            await Task.WhenAll(workers.Select(w => w.OkAsync($"clock {shop.Clock.Ahead.Ticks}")));
            return await Task.WhenAll(workers.Select((w, i) => w.DoAsync(command(i))));
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var worker in workers)
            {
                await worker.DisposeAsync();
            }
        }
    }
}
