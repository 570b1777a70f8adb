using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Samples;

namespace McpSm.FaultBench;

/// <summary>
/// Kills two processes that set, renew and remove credentials, at random times and at each step of a change. After each kill every
/// file can be parsed, and the acknowledged credential, or the one of the interrupted change, is stored.
/// </summary>
internal static class KillRows
{
    public static async Task RunAsync(FaultOptions options, FaultReport report)
    {
        await RunAsync("kill -9 at random instants", options, report, options.Rounds(2000), null);
        // A vault of the system writes in another process, so only the steps of the index can be killed.
        foreach (var step in new[] { AtomicFileStep.Create, AtomicFileStep.Write, AtomicFileStep.Flush, AtomicFileStep.Rename, AtomicFileStep.Sweep })
        {
            await RunAsync($"kill -9 before each {step.ToString().ToLowerInvariant()}", options, report, options.Rounds(200), step);
        }
    }

    private static async Task RunAsync(string check, FaultOptions options, FaultReport report, int kills, AtomicFileStep? step)
    {
        string[][] owned = [["bearer-a", "oauth-a"], ["bearer-b", "oauth-b"]];
        await using var shop = await FaultEnvironment.OpenAsync(options, owned.SelectMany(o => o));
        var victims = owned.Select(ids => new Victim(shop, ids, step)).ToList();
        var left = kills;
        await Task.WhenAll(victims.Select(v => v.RunAsync(() => Interlocked.Decrement(ref left) >= 0)));
        var leftovers = Directory.GetFiles(shop.Folder, "*.tmp").Length;
        report.Row(check, $"{kills} kills, {victims.Sum(v => v.Acknowledged)} acknowledged, {victims.Sum(v => v.Lost)} lost, "
            + $"{victims.Sum(v => v.CutOff)} renewals cut off, {leftovers} leftover .tmp", [.. victims.SelectMany(v => v.Wrong)]);
    }

    /// <summary>A process, the servers that only it changes, and their acknowledged credentials.</summary>
    private sealed class Victim(FaultEnvironment shop, string[] ids, AtomicFileStep? step)
    {
        private readonly Dictionary<string, string?> _kept = ids.ToDictionary(id => id, _ => (string?)null);
        private readonly HashSet<string> _spent = [];
        private readonly HashSet<string> _interrupted = [];
        private readonly HashSet<string> _wordless = [];
        private (string Id, string Verb, string? Value)? _pending;

        public List<string> Wrong { get; } = [];

        public int Acknowledged { get; private set; }

        public int Lost { get; private set; }

        public int CutOff { get; private set; }

        public async Task RunAsync(Func<bool> again)
        {
            while (again())
            {
                await using (var worker = await shop.WorkerAsync())
                {
                    if (step is { } at)
                    {
                        await worker.OkAsync($"die {at} {Random.Shared.Next(1, 13)}");
                    }
                    else
                    {
                        _ = Task.Delay(Random.Shared.Next(0, 900)).ContinueWith(_ => worker.Kill(), TaskScheduler.Default);
                    }
                    while (await StepAsync(worker))
                    {
                    }
                }
                await InspectAsync();
            }
        }

        /// <summary>Makes one change with the worker. Returns false if it was killed.</summary>
        private async Task<bool> StepAsync(WorkerProcess worker)
        {
            var id = ids[Random.Shared.Next(ids.Length)];
            var token = id[0] == 'b' ? $"token-{Guid.NewGuid():n}" : null;
            var verb = _kept[id] is null || _spent.Contains(id) ? token is null ? "login" : "set"
                : Random.Shared.Next(8) == 0 ? "remove" : token is null ? "renew" : "set";
            _pending = (id, verb, verb == "remove" ? null : token);
            var answer = await worker.DoAsync(verb == "set" ? $"set {id} {token}" : $"{verb} {id}");
            if (answer is null)
            {
                return false;
            }
            _pending = null;
            if (verb == "renew" && answer.StartsWith("err RefreshTokenRejected ", StringComparison.Ordinal) && _interrupted.Contains(id))
            {
                // The issuer handled the request of a killed process after the check above. If another renewal was first, the
                // issuer treats the late one as theft and revokes all tokens. The client cannot know the reason.
                CutOff++;
                if (!_wordless.Contains(id) && !answer.Contains("An earlier renewal was interrupted", StringComparison.Ordinal))
                {
                    Wrong.Add("a refresh token was used and no mark of it is left");
                }
                _spent.Add(id);
                return true;
            }
            if (!answer.StartsWith("ok ", StringComparison.Ordinal))
            {
                Wrong.Add($"{verb} failed: {answer.Split(' ')[1]}");
                return true;
            }
            Acknowledged++;
            _kept[id] = answer.Length > 3 ? answer[3..] : null;
            _spent.Remove(id);
            if (verb == "renew")
            {
                _wordless.Add(id);
            }
            else
            {
                _interrupted.Remove(id);
                _wordless.Remove(id);
            }
            return true;
        }

        private async Task InspectAsync()
        {
            foreach (var id in ids)
            {
                try
                {
                    await InspectAsync(id);
                }
                catch (McpAuthException e)
                {
                    Wrong.Add($"a file cannot be used: {e.Reason}");
                }
            }
            _pending = null;
        }

        private async Task InspectAsync(string id)
        {
            var pending = _pending is { } under && under.Id == id ? _pending : null;
            var info = shop.Store.Index.Read(id);
            var item = await shop.ItemAsync(id);
            var there = item?.Token;
            var isFresh = pending is { } p && (p.Verb is "login" or "renew" ? there is not null && shop.StateOf(there) == TokenState.Active : there == p.Value);
            if (there != _kept[id] && !isFresh)
            {
                Lost++;
                Wrong.Add($"an acknowledged credential is gone, during {pending?.Verb ?? "nothing"}");
            }
            if (pending is { Verb: "renew" } && there == _kept[id] && item?.OAuth is { RefreshToken: null })
            {
                // Killed while it deleted a refresh token that the issuer refused because an earlier sign-out or renewal was killed.
                CutOff++;
                _spent.Add(id);
                if (!_interrupted.Contains(id))
                {
                    Wrong.Add("a refresh token is gone although the issuer had no reason to refuse it");
                }
            }
            // A process that was killed in a renewal after it stored the new token has no mark of an earlier one. The same holds
            // for a process that was killed in a sign-out, which can have revoked the token already.
            if (pending is { Verb: "renew" or "remove" })
            {
                _interrupted.Add(id);
                if (pending is { Verb: "remove" } || there != _kept[id])
                {
                    _wordless.Add(id);
                }
            }
            if (pending is { Verb: "renew" } && there == _kept[id] && item?.OAuth?.RefreshToken is { } refresh && shop.StateOf(refresh) == TokenState.Rotated)
            {
                // The issuer had sent a new token, and the process was killed before it read it. No client can prevent that, but the error must say it.
                CutOff++;
                _spent.Add(id);
                if (info is not { RenewalBegan: not null })
                {
                    Wrong.Add("a refresh token was used and no mark of it is left");
                }
            }
            _kept[id] = there;
            var status = shop.Door.Status(shop.Server(id));
            if (status.Kind != (item is null ? CredentialKind.None : item.BearerToken is not null ? CredentialKind.Bearer : CredentialKind.OAuth))
            {
                Wrong.Add("the index differs from the vault after a read");
            }
        }
    }
}
