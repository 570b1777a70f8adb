using System.Text.RegularExpressions;

namespace McpSm.Core.Browsing;

/// <summary>
/// Recognises a command line in which a shell interprets one word as commands, such as <c>sh -c</c>. This includes a shell behind another program
/// (<c>env sh -c</c>) and inside one word (<c>env -S "sh -c …"</c>).
/// </summary>
internal static partial class ShellCommand
{
    private static readonly HashSet<string> PosixShells = new(StringComparer.OrdinalIgnoreCase)
    {
        "sh", "ash", "bash", "rbash", "dash", "zsh", "rzsh", "ksh", "rksh", "mksh", "lksh", "pdksh", "oksh", "yash", "posh", "osh", "ysh",
        "fish", "csh", "tcsh", "rc", "es", "ion", "elvish", "nu", "xonsh",
    };

    // These start the user's shell with the command. Their options may follow other words.
    private static readonly HashSet<string> ShellStarters = new(StringComparer.OrdinalIgnoreCase) { "su", "runuser", "script" };

    private static readonly string[] LongOptions = ["command", "commands", "init-command", "session-command", "execute"];

    /// <summary>Finds the shell in a command line.</summary>
    /// <returns>The name of the shell; null if the line does not contain a shell, or if the shell runs a script file.</returns>
    public static string? Find(IReadOnlyList<string> words)
    {
        for (var i = 0; i < words.Count; i++)
        {
            var name = NameOf(words[i]);
            if (TakesCommand(name, [.. words.Skip(i + 1)]))
            {
                return name;
            }
            var inner = BrowserCommand.SplitWords(OptionName().Replace(words[i], ""));
            if (inner.Count > 1 && Find(inner) is { } nested)
            {
                return nested;
            }
        }
        return null;
    }

    private static bool TakesCommand(string name, IReadOnlyList<string> arguments) => name switch
    {
        "cmd" => arguments.Any(a => CmdOption().IsMatch(a)),
        "pwsh" or "pwsh-preview" => PowerShellTakesCommand(arguments, byDefault: false),
        "powershell" => PowerShellTakesCommand(arguments, byDefault: true),
        _ => PosixShells.Contains(name) ? TakesCommand(arguments, name, optionsMayFollow: false)
            : ShellStarters.Contains(name) && TakesCommand(arguments, name, optionsMayFollow: true),
    };

    private static bool TakesCommand(IReadOnlyList<string> arguments, string name, bool optionsMayFollow)
    {
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (argument == "--")
            {
                return false;
            }
            if (argument.StartsWith("--", StringComparison.Ordinal))
            {
                // getopt_long(3) accepts abbreviations of long options.
                var option = argument[2..].Split('=')[0];
                if (LongOptions.Any(o => o.StartsWith(option, StringComparison.Ordinal)))
                {
                    return true;
                }
                i += option is "rcfile" or "init-file" ? 1 : 0;
            }
            else if (argument is ['-' or '+', _, ..])
            {
                if (argument.Contains('c') || (name == "fish" && argument.Contains('C')) || (name == "nu" && argument.Contains('e')))
                {
                    return true;
                }
                i += argument[^1] is 'o' or 'O' ? 1 : 0;
            }
            else if (!optionsMayFollow)
            {
                // A script file. The remaining arguments are for the script.
                return false;
            }
        }
        return false;
    }

    private static bool PowerShellTakesCommand(IReadOnlyList<string> arguments, bool byDefault)
    {
        foreach (var argument in arguments)
        {
            if (argument.EndsWith(".ps1", StringComparison.OrdinalIgnoreCase))
            {
                return false;
            }
            var option = argument.TrimStart('-', '/', '–', '—', '―').ToLowerInvariant();
            if (option.Length == argument.Length || option.Length == 0)
            {
                continue;
            }
            if ("file".StartsWith(option, StringComparison.Ordinal))
            {
                return false;
            }
            if (option is "cwa" or "ec" || new[] { "command", "commandwithargs", "encodedcommand" }.Any(o => o.StartsWith(option, StringComparison.Ordinal)))
            {
                return true;
            }
        }
        return byDefault;
    }

    /// <summary>Returns the program name without folder, <c>.exe</c> and version: <c>/usr/bin/bash-5.2</c> is <c>bash</c>.</summary>
    private static string NameOf(string word)
    {
        var name = OptionName().Replace(word, "");
        name = name[(name.LastIndexOfAny(['/', '\\']) + 1)..].ToLowerInvariant();
        name = name.EndsWith(".exe", StringComparison.Ordinal) ? name[..^4] : name;
        return Version().Replace(name, "");
    }

    [GeneratedRegex(@"^(?:-\w*S|--[\w-]+=)", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex OptionName();

    [GeneratedRegex(@"[-.]?\d[\d.]*$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Version();

    [GeneratedRegex(@"/[ckr]", RegexOptions.IgnoreCase, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CmdOption();
}
