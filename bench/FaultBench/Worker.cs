using System.Diagnostics;
using System.Runtime.InteropServices;
using McpSm.Core;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Interruption;
using McpSm.Core.SignIn;
using McpSm.Samples;

namespace McpSm.FaultBench;

/// <summary>
/// The process that is killed. It runs the command in each line of standard input and answers with one line,
/// <c>ok VALUE</c> or <c>err REASON MESSAGE</c>. After an answer the change must be permanent.
/// </summary>
internal static class Worker
{
    private static readonly List<FileLock> Held = [];

    public static async Task RunAsync()
    {
        var clock = new Clock();
        var environment = new AppEnvironment(time: clock);
        var door = new Authenticator(environment, new Person());
        using var cancel = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            // Like the executable: a signal cancels the command, and the process ends after the time limit.
            context.Cancel = true;
            new Thread(() => EndInTime(environment)) { IsBackground = true }.Start();
            cancel.Cancel();
        });
        Console.WriteLine("ready");
        while (await Console.In.ReadLineAsync() is { } line)
        {
            string answer;
            try
            {
                answer = "ok " + await DoAsync(line.Split(' '), door, environment, clock, cancel.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (McpAuthException e)
            {
                answer = $"err {e.Reason} {e.Message}";
            }
            Console.WriteLine(answer);
        }
    }

    private static async Task<string> DoAsync(string[] words, Authenticator door, AppEnvironment environment, Clock clock, CancellationToken cancellationToken)
    {
        switch (words)
        {
            case ["clock", var ticks]:
                clock.Ahead = new TimeSpan(long.Parse(ticks));
                return "";
            case ["die", var step, var times]:
                Die(Enum.Parse<AtomicFileStep>(step), int.Parse(times));
                return "";
            case ["fail", var step, var times]:
                Fail(Enum.Parse<AtomicFileStep>(step), int.Parse(times));
                return "";
            case ["set", var id, var token]:
                await door.Servers.SetTokenAsync(door.Catalog.Get(id), token, null, default);
                return token;
            case ["remove", var id]:
                await door.Servers.ClearCredentialsAsync(door.Catalog.Get(id), default);
                return "";
            case ["login", var id]:
                await door.SignIn.SignInAsync(door.Catalog.Get(id), new SignInOptions { CallbackPort = 0 }, default);
                return await door.Tokens.GetTokenAsync(door.Catalog.Get(id), default);
            case ["renew", var id]:
                return (await door.Tokens.RenewNowAsync(door.Catalog.Get(id), cancellationToken)).AccessToken;
            case ["token", var id]:
                return await door.Tokens.GetTokenAsync(door.Catalog.Get(id), default);
            case ["hold", var name]:
                Held.Add(await environment.LockAsync(name, default));
                return "";
            case ["read", var milliseconds, .. var ids]:
                return await ReadAsync(door, TimeSpan.FromMilliseconds(int.Parse(milliseconds)), ids);
            default:
                throw new InvalidOperationException($"Unknown command: {words[0]}");
        }
    }

    private static void EndInTime(AppEnvironment environment)
    {
        for (var deadline = new InterruptionDeadline(environment.Exchanges); !deadline.HasPassed;)
        {
            Thread.Sleep(50);
        }
        Environment.Exit(130);
    }

    private static void Die(AtomicFileStep step, int times) => AtomicFile.BeforeStep = reached =>
    {
        if (reached == step && Interlocked.Decrement(ref times) == 0)
        {
            Process.GetCurrentProcess().Kill();
            Thread.Sleep(Timeout.Infinite);
        }
    };

    private static void Fail(AtomicFileStep step, int times) => AtomicFile.BeforeStep = reached =>
    {
        if (reached == step && Interlocked.Decrement(ref times) == 0)
        {
            throw new IOException("No space left on device");
        }
    };

    /// <summary>Reads everything in a loop. An incomplete read ends it with an error.</summary>
    private static async Task<string> ReadAsync(Authenticator door, TimeSpan time, string[] ids)
    {
        var reads = 0;
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < time; reads++)
        {
            var servers = door.Catalog.List();
            _ = door.Status(servers, out var failure);
            if (failure is not null)
            {
                throw failure;
            }
            foreach (var id in ids)
            {
                try
                {
                    await door.Tokens.GetTokenAsync(door.Catalog.Get(id), default);
                }
                catch (McpAuthException e) when (e.Reason == ErrorReason.AuthenticationRequired)
                {
                    // Removed a moment ago, which is a complete state too.
                }
            }
        }
        return reads.ToString();
    }

    /// <summary>A clock that the benchmark sets.</summary>
    internal sealed class Clock : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
    }

    /// <summary>Signs in with every shown URL.</summary>
    internal sealed class Person : IAuthInteraction
    {
        public bool CanAnswer => true;

        public Task<bool> OpenBrowserAsync(Uri url, CancellationToken cancellationToken)
        {
            _ = StandInBrowser.ClickThroughAsync(url, cancellationToken: CancellationToken.None);
            return Task.FromResult(true);
        }

        public void ShowAuthorizationUrl(Uri url, bool opened)
        {
        }

        public void ShowDeviceCode(DeviceCode code)
        {
        }

        public Task<string?> ReadRedirectAsync(CancellationToken cancellationToken) => Task.FromResult<string?>(null);

        public void Notice(string text)
        {
        }

        public void Warn(string text)
        {
        }
    }
}
