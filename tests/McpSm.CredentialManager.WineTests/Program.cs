using System.Globalization;
using System.Runtime.Versioning;
using McpSm.CredentialManager.WineTests;

[assembly: SupportedOSPlatform("windows")]

// .ci/run reads the lines on Linux, even if this program runs under Wine.
Console.Out.NewLine = "\n";

// The program starts itself with these arguments, for processes that write concurrently or are killed.
switch (args)
{
    case ["write", var folder, var letter, var rounds]:
        await ChildProcess.WriteAsync(folder, letter, int.Parse(rounds, CultureInfo.InvariantCulture));
        return 0;
    case ["change-and-die", var folder, var after, var size]:
        await ChildProcess.ChangeAndDieAsync(folder, int.Parse(after, CultureInfo.InvariantCulture),
            size == "" ? null : int.Parse(size, CultureInfo.InvariantCulture));
        return 0;
}

var checks = new CheckRunner();
await StorageChecks.RunAsync(checks);
await DamageChecks.RunAsync(checks);
await ConcurrencyChecks.RunAsync(checks);
await FileReplacementChecks.RunAsync(checks);
Console.WriteLine($"{checks.Passed} passed, {checks.Failed} failed, 0 skipped");
return checks.Failed == 0 && checks.Passed > 0 ? 0 : 1;
