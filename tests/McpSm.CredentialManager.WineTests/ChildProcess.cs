using System.Diagnostics;
using System.Globalization;
using McpSm.Core.Vaults.Windows;

namespace McpSm.CredentialManager.WineTests;

/// <summary>Runs this program as a second process, which writes or is killed.</summary>
internal static class ChildProcess
{
    private static readonly int[] Sizes = [5000, 10, 2560, 12000, 2559, 30000];

    /// <summary>Returns a text that names its writer and round, and that differs from every other text.</summary>
    public static string TextOf(string letter, int round) =>
        string.Create(CultureInfo.InvariantCulture, $"{letter}{round}:") + new string(letter[0], Sizes[round % Sizes.Length]);

    public static bool IsComplete(string text) => text.Split(':') is [var name, _]
        && int.TryParse(name[1..], NumberStyles.None, CultureInfo.InvariantCulture, out var round) && text == TextOf(name[..1], round);

    public static async Task WriteAsync(string folder, string letter, int rounds)
    {
        var vault = new CredentialManagerVault(TestVault.HomeOf(folder), TestVault.NewSet());
        for (var round = 1; round <= rounds; round++)
        {
            await vault.SetAsync("mcpsm-shared", TextOf(letter, round), default);
            await vault.SetAsync($"mcpsm-{letter}-{round}", TextOf(letter, round), default);
        }
    }

    /// <summary>Sets the item, or removes it if no size is given, and is killed before a call.</summary>
    public static Task ChangeAndDieAsync(string folder, int after, int? size)
    {
        var vault = new CredentialManagerVault(TestVault.HomeOf(folder), new KillingCredentials(TestVault.NewSet(), after));
        return size is null ? vault.RemoveAsync("mcpsm-a", default) : vault.SetAsync("mcpsm-a", StorageChecks.Text(size.Value), default);
    }

    /// <summary>Runs the process for at most a minute and returns its exit code.</summary>
    public static async Task<int> RunAsync(params object[] arguments)
    {
        using var process = Process.Start(Environment.ProcessPath!, arguments.Select(a => string.Create(CultureInfo.InvariantCulture, $"{a}")));
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode;
        }
        finally
        {
            process.Kill();
        }
    }
}
