using System.Globalization;
using System.Runtime.Versioning;
using McpSm.CredentialManager.Trial;

[assembly: SupportedOSPlatform("windows")]

// Lines like those of every other run, on whatever system reads them.
Console.Out.NewLine = "\n";

// Its own children first: they write beside it, or die in the middle.
switch (args)
{
    case ["write", var folder, var letter, var rounds]:
        await Writers.WriteAsync(folder, letter, int.Parse(rounds, CultureInfo.InvariantCulture));
        return 0;
    case ["change-and-die", var folder, var after, var size]:
        await Writers.ChangeAndDieAsync(folder, int.Parse(after, CultureInfo.InvariantCulture), size == "" ? null : int.Parse(size, CultureInfo.InvariantCulture));
        return 0;
}

var trial = new Trial();
await Storing.RunAsync(trial);
await Damage.RunAsync(trial);
await Together.RunAsync(trial);
await Replacing.RunAsync(trial);
Console.WriteLine($"{trial.Passed} passed, {trial.Failed} failed, 0 skipped");
return trial.Failed == 0 && trial.Passed > 0 ? 0 : 1;
