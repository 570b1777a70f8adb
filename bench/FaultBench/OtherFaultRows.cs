using System.Diagnostics;
using McpSm.Core;
using McpSm.Core.Files;

namespace McpSm.FaultBench;

/// <summary>Checks of other faults: each ends with an error or a limited wait, and nothing is lost.</summary>
internal static class OtherFaultRows
{
    public static async Task RunAsync(FaultOptions options, FaultReport report)
    {
        await FailingStepsAsync(options, report);
        await FullDiskAsync(options, report);
        await NoPermissionAsync(options, report);
        await ClockSetBackAsync(options, report);
        await LocksAsync(options, report);
        await NetworkAsync(options, report);
    }

    /// <summary>Makes a step fail like on a full disk, also during a renewal.</summary>
    private static async Task FailingStepsAsync(FaultOptions options, FaultReport report)
    {
        await using var shop = await FaultEnvironment.OpenAsync(options, ["bearer", "oauth"]);
        await using var worker = await shop.WorkerAsync();
        await worker.OkAsync("set bearer token-0");
        var (wrong, failed, tries) = (new List<string>(), 0, options.Rounds(200));
        string? kept = "token-0";
        foreach (var step in new[] { AtomicFileStep.Create, AtomicFileStep.Write, AtomicFileStep.Flush, AtomicFileStep.Rename })
        {
            for (var i = 0; i < tries; i++)
            {
                // The file of the vault, or the index that is written after it.
                await worker.OkAsync($"fail {step} {1 + (i / 2 % 2)}");
                var wanted = i % 2 == 0 ? null : $"token-{step}-{i}";
                var answer = await worker.DoAsync(wanted is null ? "remove bearer" : $"set bearer {wanted}");
                var now = (await shop.ItemAsync("bearer"))?.BearerToken;
                failed += answer?.StartsWith("err ConfigurationUnavailable ", StringComparison.Ordinal) == true ? 1 : 0;
                if (now != kept && now != wanted)
                {
                    wrong.Add("a credential is gone");
                }
                if (answer?.StartsWith("ok ", StringComparison.Ordinal) == true && now != wanted)
                {
                    wrong.Add("the acknowledged credential is not stored");
                }
                kept = now;
            }
        }
        await worker.OkAsync("fail Create 0");
        await shop.SignInAsync("oauth");
        shop.Issuer.Traffic.Clear();
        await worker.OkAsync("fail Write 1");
        if ((await worker.DoAsync("renew oauth"))?.StartsWith("err ConfigurationUnavailable ", StringComparison.Ordinal) != true
            || shop.Issuer.Traffic.OfGrant("refresh_token").Count != 0)
        {
            wrong.Add("a refresh token was used although nothing can be written");
        }
        if (Directory.GetFiles(shop.Folder, "*.tmp").Length > 0)
        {
            wrong.Add("temporary files were left");
        }
        report.Row("a create, write, flush or rename that fails", $"{tries * 4} changes, {failed} reported an error", wrong);
    }

    /// <summary>Uses a disk that is really full and then really read-only. Needs the right to mount one.</summary>
    private static async Task FullDiskAsync(FaultOptions options, FaultReport report)
    {
        const string check = "full disk, read-only folder";
        var folder = Directory.CreateTempSubdirectory("mcpsm-disk-").FullName;
        if (!OperatingSystem.IsLinux() || !await Programs.RunsAsync("mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "tmpfs", folder))
        {
            Directory.Delete(folder);
            report.Skip(check, "mounting a disk needs Linux and root");
            return;
        }
        try
        {
            var wrong = new List<string>();
            var inside = Directory.CreateDirectory(Path.Combine(folder, "home")).FullName;
            await using (var shop = await FaultEnvironment.OpenAsync(options, ["bearer", "oauth"], inside))
            {
                await using var worker = await shop.WorkerAsync();
                await worker.OkAsync("set bearer token-0");
                await shop.SignInAsync("oauth");
                var token = await worker.OkAsync("token oauth");
                var filler = Path.Combine(folder, "filler");
                Fill(filler);
                // A vault of the system is on another disk, and a new token does not change the index.
                var (set, kept) = options.Vault == "file" ? ("err ConfigurationUnavailable", "ok token-0") : ("ok token-1", "ok token-1");
                Expect(await worker.DoAsync("set bearer token-1"), set, "full: set", wrong);
                Expect(await worker.DoAsync("renew oauth"), "err ConfigurationUnavailable", "full: renew", wrong);
                Expect(await worker.DoAsync("token bearer"), kept, "full: token", wrong);
                File.Delete(filler);
                if (!await Programs.RunsAsync("mount", "-o", "remount,ro", folder))
                {
                    wrong.Add("the disk cannot be made read-only");
                }
                Expect(await worker.DoAsync("set bearer token-1"), "err ConfigurationUnavailable", "read-only: set", wrong);
                Expect(await worker.DoAsync("renew oauth"), "err ConfigurationUnavailable", "read-only: renew", wrong);
                Expect(await worker.DoAsync("token oauth"), "ok " + token, "read-only: token", wrong);
                await Programs.RunsAsync("mount", "-o", "remount,rw", folder);
                if (shop.Issuer.Traffic.OfGrant("refresh_token").Count != 0)
                {
                    wrong.Add("a refresh token was used although nothing can be written");
                }
                Expect(await worker.DoAsync("renew oauth"), "ok ", "afterwards: renew", wrong);
                Expect(await worker.DoAsync("set bearer token-2"), "ok token-2", "afterwards: set", wrong);
                Expect(await worker.DoAsync("token bearer"), "ok token-2", "afterwards: token", wrong);
            }
            report.Row(check, "errors, tokens still returned, no token used, nothing lost", wrong);
        }
        finally
        {
            await Programs.RunsAsync("umount", folder);
            Directory.Delete(folder);
        }
    }

    private static async Task NoPermissionAsync(FaultOptions options, FaultReport report)
    {
        const string check = "no permission";
        if (OperatingSystem.IsWindows())
        {
            report.Skip(check, "Windows has no folder modes");
            return;
        }
        var wrong = new List<string>();
        await using var shop = await FaultEnvironment.OpenAsync(options, ["bearer"]);
        await using (var owner = await shop.WorkerAsync())
        {
            await owner.OkAsync("set bearer token-0");
        }
        // Root can write to every folder, so another user tries.
        var isRoot = Environment.UserName == "root";
        if (isRoot && !await Programs.RunsAsync("setpriv", "--version"))
        {
            report.Skip(check, "runs as root, and setpriv is missing");
            return;
        }
        if (!isRoot)
        {
            File.SetUnixFileMode(shop.Folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            File.SetUnixFileMode(Path.Combine(shop.Folder, "locks"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
        await using (var stranger = await shop.WorkerAsync(isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []))
        {
            Expect(await stranger.DoAsync("set bearer token-1"), "err ConfigurationUnavailable", "set", wrong);
        }
        if (!isRoot)
        {
            const UnixFileMode all = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
            File.SetUnixFileMode(shop.Folder, all);
            File.SetUnixFileMode(Path.Combine(shop.Folder, "locks"), all);
        }
        Expect((await shop.ItemAsync("bearer"))?.BearerToken, "token-0", "kept", wrong);
        report.Row(check, "an error at once, nothing lost", wrong);
    }

    private static async Task ClockSetBackAsync(FaultOptions options, FaultReport report)
    {
        var wrong = new List<string>();
        await using var shop = await FaultEnvironment.OpenAsync(options, ["oauth"]);
        await shop.SignInAsync("oauth");
        await using var worker = await shop.WorkerAsync();
        shop.Clock.Ahead = -TimeSpan.FromDays(1);
        await worker.OkAsync($"clock {shop.Clock.Ahead.Ticks}");
        // The expiry of a token that was issued in the future is not trusted: it is renewed once.
        var token = await worker.OkAsync("token oauth");
        for (var i = 0; i < 10; i++)
        {
            Expect(await worker.DoAsync("token oauth"), "ok " + token, "token", wrong);
        }
        Expect(shop.Door.Status(shop.Server("oauth")).State.ToString(), nameof(AuthState.Authenticated), "status", wrong);
        Expect(await worker.DoAsync("renew oauth"), "ok ", "renew", wrong);
        Expect($"{shop.Issuer.Traffic.OfGrant("refresh_token").Count}", "2", "refresh requests", wrong);
        report.Row("clock set back a day", "tokens returned, one renewal", wrong);
    }

    private static async Task LocksAsync(FaultOptions options, FaultReport report)
    {
        var wrong = new List<string>();
        await using var shop = await FaultEnvironment.OpenAsync(options, ["bearer"]);
        await using var worker = await shop.WorkerAsync();
        await worker.OkAsync("set bearer token-0");
        var started = Stopwatch.GetTimestamp();
        Expect(await worker.DoAsync("set bearer token-1"), "ok token-1", "with a leftover lock file", wrong);
        var leftBehind = Stopwatch.GetElapsedTime(started);

        TimeSpan afterKill;
        await using (var holder = await shop.WorkerAsync())
        {
            await holder.OkAsync("hold server-bearer");
            var waiting = worker.DoAsync("set bearer token-2");
            await Task.Delay(300);
            if (waiting.IsCompleted)
            {
                wrong.Add("the lock did not hold");
            }
            holder.Kill();
            started = Stopwatch.GetTimestamp();
            Expect(await waiting, "ok token-2", "after the holder was killed", wrong);
            afterKill = Stopwatch.GetElapsedTime(started);
        }
        var limit = "not tried";
        if (!options.Quick)
        {
            await using var holder = await shop.WorkerAsync();
            await holder.OkAsync("hold server-bearer");
            started = Stopwatch.GetTimestamp();
            Expect(await worker.DoAsync("set bearer token-3"), "err ConfigurationUnavailable", "while the holder keeps the lock", wrong);
            limit = $"{Stopwatch.GetElapsedTime(started).TotalSeconds:0} s";
        }
        report.Row("lock holder killed, leftover lock file, lock held forever",
            $"{afterKill.TotalMilliseconds:0} ms after the kill, {leftBehind.TotalMilliseconds:0} ms, gives up after: {limit}", wrong);
    }

    /// <summary>Closes the connection during a renewal, before and after the issuer handles the request.</summary>
    private static async Task NetworkAsync(FaultOptions options, FaultReport report)
    {
        var wrong = new List<string>();
        await using var shop = await FaultEnvironment.OpenAsync(options, ["oauth"]);
        await shop.SignInAsync("oauth");
        await using var worker = await shop.WorkerAsync();
        var token = await worker.OkAsync("token oauth");
        shop.Issuer.Faults.Intercept("/token", context =>
        {
            context.Abort();
            return Task.CompletedTask;
        }, times: 1);
        Expect(await worker.DoAsync("renew oauth"), "err ServerUnreachable", "cut before", wrong);
        Expect($"{shop.Door.Status(shop.Server("oauth")).RenewalUncertain}", "True", "uncertain", wrong);
        Expect(await worker.DoAsync("token oauth"), "ok " + token, "the old token", wrong);
        Expect(await worker.DoAsync("renew oauth"), "ok ", "renewed after all", wrong);
        Expect($"{shop.Door.Status(shop.Server("oauth")).RenewalUncertain}", "False", "certain again", wrong);
        shop.Issuer.Faults.DropConnectionAfterHandling("/token", times: 1);
        Expect(await worker.DoAsync("renew oauth"), "err ServerUnreachable", "cut after", wrong);
        Expect($"{shop.Door.Status(shop.Server("oauth")).RenewalUncertain}", "True", "uncertain", wrong);
        var refused = await worker.DoAsync("renew oauth");
        Expect(refused, "err RefreshTokenRejected", "refused", wrong);
        Expect($"{refused?.Contains("An earlier renewal was interrupted", StringComparison.Ordinal)}", "True", "explained", wrong);
        report.Row("network dies in the middle of a renewal", "old token kept, uncertain, explained when refused", wrong);
    }

    private static void Expect(string? answer, string beginning, string what, List<string> wrong)
    {
        if (answer?.StartsWith(beginning, StringComparison.Ordinal) != true)
        {
            // A successful answer can contain a token, so only the fact is reported.
            wrong.Add($"{what}: {(answer?.StartsWith("err ", StringComparison.Ordinal) == true ? answer : "another answer")}");
        }
    }

    private static void Fill(string path)
    {
        using var stream = new FileStream(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0 });
        var block = new byte[512];
        try
        {
            while (true)
            {
                stream.Write(block);
            }
        }
        catch (IOException)
        {
            // The disk is full, as intended.
        }
    }
}
