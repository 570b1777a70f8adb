using McpSm.Core.Files;
using McpSm.Samples;

namespace McpSm.FaultBench;

/// <summary>Checks that a refresh token is used only if the new one can be stored, and that a token which cannot be stored waits and is found.</summary>
internal static class UnstoredTokenRows
{
    /// <summary>The variable with the password of a keyring that the benchmark can lock and unlock. Without it the keyring is left alone.</summary>
    private const string PasswordVariable = "FAULT_BENCH_KEYRING_PASSWORD";

    public static async Task RunAsync(FaultOptions options, FaultReport report)
    {
        await LittleRoomAsync(options, report);
        await TerminatedAsync(options, report);
        switch (options.Vault)
        {
            case "file":
                await FailureAfterAnswerAsync(options, report);
                break;
            case "secret-service":
                await LockedKeyringAsync(options, report);
                break;
        }
    }

    /// <summary>Leaves room on the disk for the small file, credentials.json, but not for the large one.</summary>
    private static async Task LittleRoomAsync(FaultOptions options, FaultReport report)
    {
        const string check = "room for the index, not for the vault";
        var folder = Directory.CreateTempSubdirectory("mcpsm-disk-").FullName;
        if (!OperatingSystem.IsLinux() || !await Programs.RunsAsync("mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "tmpfs", folder))
        {
            Directory.Delete(folder);
            report.Skip(check, "mounting a disk needs Linux and root");
            return;
        }
        try
        {
            var (wrong, refused) = (new List<string>(), 0);
            var inside = Directory.CreateDirectory(Path.Combine(folder, "home")).FullName;
            await using (var shop = await FaultEnvironment.OpenAsync(options, ["bearer", "oauth"], inside))
            {
                await using var worker = await shop.WorkerAsync();
                await worker.OkAsync($"set bearer {new string('x', 34 * 1024)}");
                await shop.SignInAsync("oauth");
                var filler = Path.Combine(folder, "filler");
                for (var room = 4; room <= 24; room += 4)
                {
                    Fill(filler, room * 1024);
                    var sent = shop.Issuer.Traffic.OfGrant("refresh_token").Count;
                    var answer = await worker.DoAsync("renew oauth");
                    var isRefused = answer?.StartsWith("err ConfigurationUnavailable ", StringComparison.Ordinal) == true;
                    refused += isRefused ? 1 : 0;
                    // A vault of the system is on another disk.
                    if (options.Vault == "file" ? !isRefused || shop.Issuer.Traffic.OfGrant("refresh_token").Count != sent
                        : answer?.StartsWith("ok ", StringComparison.Ordinal) != true)
                    {
                        var renewals = shop.Issuer.Traffic.OfGrant("refresh_token").Count - sent;
                        wrong.Add($"{room} KiB free: {(isRefused ? "refused" : "another answer")}, {renewals} sent");
                    }
                    File.Delete(filler);
                }
                await RenewsAsync(shop, worker, wrong);
            }
            report.Row(check, $"4 to 24 KiB free: {refused} of 6 refused before any token was used, nothing lost", wrong);
        }
        finally
        {
            await Programs.RunsAsync("umount", folder);
            Directory.Delete(folder);
        }
    }

    /// <summary>Makes the write of the new token fail although the rehearsal succeeded.</summary>
    private static async Task FailureAfterAnswerAsync(FaultOptions options, FaultReport report)
    {
        const string check = "the vault fails while the issuer has the request";
        var (wrong, tries) = (new List<string>(), options.Rounds(200));
        await using var shop = await FaultEnvironment.OpenAsync(options, ["oauth"]);
        await shop.SignInAsync("oauth");
        await using var worker = await shop.WorkerAsync();
        foreach (var step in new[] { AtomicFileStep.Create, AtomicFileStep.Write, AtomicFileStep.Flush, AtomicFileStep.Rename })
        {
            for (var i = 0; i < tries; i++)
            {
                // The rehearsal and the index are written before the request, then the vault.
                await worker.OkAsync($"fail {step} 3");
                if (await worker.DoAsync("renew oauth") is not { } answer || !answer.Contains("waits in credentials.pending.enc", StringComparison.Ordinal))
                {
                    wrong.Add($"{step}: the command does not say that the token waits");
                }
                if (!shop.Door.Status(shop.Server("oauth")).Pending)
                {
                    wrong.Add($"{step}: the status does not show it");
                }
                await ActiveAsync(shop, worker, wrong);
                await RenewsAsync(shop, worker, wrong);
            }
        }
        if (File.Exists(Path.Combine(shop.Folder, "credentials.pending.enc")))
        {
            wrong.Add("something still waits");
        }
        report.Row(check, $"{tries * 4} renewals, all found again in the second file", wrong);
    }

    private static async Task LockedKeyringAsync(FaultOptions options, FaultReport report)
    {
        const string check = "keyring locked while the issuer has the request";
        var password = Environment.GetEnvironmentVariable(PasswordVariable);
        if (password is null)
        {
            report.Skip(check, $"needs a keyring whose password is in {PasswordVariable}");
            return;
        }
        var wrong = new List<string>();
        await using var shop = await FaultEnvironment.OpenAsync(options, ["oauth"]);
        await shop.SignInAsync("oauth");
        await using var worker = await shop.WorkerAsync();
        var rounds = options.Rounds(50);
        for (var i = 0; i < rounds; i++)
        {
            shop.Issuer.Faults.Before("/token", _ => Programs.RunsAsync("secret-tool", "lock"), times: 1);
            var answer = await worker.DoAsync("renew oauth");
            if (answer?.Contains("waits in credentials.enc", StringComparison.Ordinal) != true)
            {
                wrong.Add("the command does not say that the token waits");
            }
            await ActiveAsync(shop, worker, wrong);
            if (!await Programs.RunsWithAsync(password, "gnome-keyring-daemon", "--replace", "--unlock", "--daemonize", "--components=secrets"))
            {
                wrong.Add("the keyring could not be unlocked again");
                break;
            }
            await using var next = await shop.WorkerAsync();
            await RenewsAsync(shop, next, wrong);
        }
        report.Row(check, $"{rounds} renewals, all found again in credentials.enc", wrong);
    }

    /// <summary>Sends SIGTERM between the request and its response, at different times.</summary>
    private static async Task TerminatedAsync(FaultOptions options, FaultReport report)
    {
        const string check = "SIGTERM between request and answer";
        if (OperatingSystem.IsWindows())
        {
            report.Skip(check, "Windows has no such signal");
            return;
        }
        var (wrong, rounds) = (new List<string>(), options.Rounds(50));
        await using var shop = await FaultEnvironment.OpenAsync(options, ["oauth"]);
        await shop.SignInAsync("oauth");
        for (var i = 0; i < rounds; i++)
        {
            // The last delay is longer than the 2 seconds in which a process otherwise ends.
            var delay = i == rounds - 1 ? TimeSpan.FromSeconds(3) : TimeSpan.FromMilliseconds(Random.Shared.Next(0, 400));
            await using (var worker = await shop.WorkerAsync())
            {
                shop.Issuer.Faults.Before("/token", async _ =>
                {
                    await worker.TerminateAsync();
                    await Task.Delay(delay);
                }, times: 1);
                await worker.DoAsync("renew oauth");
            }
            if ((await shop.ItemAsync("oauth"))?.OAuth is not { RefreshToken: { } kept } || shop.StateOf(kept) != TokenState.Active)
            {
                wrong.Add($"the response {delay.TotalMilliseconds:0} ms after the signal is lost");
            }
        }
        await using var next = await shop.WorkerAsync();
        await RenewsAsync(shop, next, wrong);
        report.Row(check, $"{rounds} renewals, each response stored", wrong);
    }

    private static async Task ActiveAsync(FaultEnvironment shop, WorkerProcess worker, List<string> wrong)
    {
        if (await worker.DoAsync("token oauth") is not { } token || !token.StartsWith("ok ", StringComparison.Ordinal)
            || shop.StateOf(token[3..]) != TokenState.Active)
        {
            wrong.Add("the waiting token is not returned");
        }
    }

    private static async Task RenewsAsync(FaultEnvironment shop, WorkerProcess worker, List<string> wrong)
    {
        if (await worker.DoAsync("renew oauth") is not { } renewed || !renewed.StartsWith("ok ", StringComparison.Ordinal)
            || shop.StateOf(renewed[3..]) != TokenState.Active)
        {
            wrong.Add("the sign-in is lost");
        }
    }

    private static void Fill(string path, int leave)
    {
        using var stream = new FileStream(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0 });
        try
        {
            while (true)
            {
                stream.Write(new byte[4096]);
            }
        }
        catch (IOException)
        {
            // The disk is full, as intended.
        }
        stream.SetLength(Math.Max(0, (stream.Length / 4096 * 4096) - leave));
    }
}
