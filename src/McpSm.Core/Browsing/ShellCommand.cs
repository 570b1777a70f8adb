using System.Text.RegularExpressions;

namespace McpSm.Core.Browsing;

/// <summary>
/// Recognises a command line that makes a shell read one of its words as commands, as <c>sh -c</c> does. That holds for a shell
/// behind another program (<c>env sh -c</c>) and inside one word (<c>env -S "sh -c …"</c>) too.
/// </summary>
internal static partial class ShellCommand
{
    private static readonly HashSet<string> PosixShells = new(StringComparer.OrdinalIgnoreCase)
    {
        "sh", "ash", "bash", "rbash", "dash", "zsh", "rzsh", "ksh", "rksh", "mksh", "lksh", "pdksh", "oksh", "yash", "posh", "osh", "ysh",
        "fish", "csh", "tcsh", "rc", "es", "ion", "elvish", "nu", "xonsh",
    };

    // They start the user's shell with the command, and their options may follow other words.
    private static readonly HashSet<string> ShellStarters = new(StringComparer.OrdinalIgnoreCase) { "su", "runuser", "script" };

    private static readonly string[] LongOptions = ["command", "commands", "init-command", "session-command", "execute"];

    /// <returns>The name of the shell; null if there is none, or it runs a script file.</returns>
    public static string? Find(IReadOnlyList<string> words)
    {
        for (var at = 0; at < words.Count; at++)
        {
            var name = NameOf(words[at]);
            if (TakesCommand(name, [.. words.Skip(at + 1)]))
            {
                return name;
            }
            var inner = BrowserCommand.SplitWords(OptionName().Replace(words[at], ""));
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
        _ => PosixShells.Contains(name) ? TakesCommand(arguments, name, mayFollow: false)
            : ShellStarters.Contains(name) && TakesCommand(arguments, name, mayFollow: true),
    };

    private static bool TakesCommand(IReadOnlyList<string> arguments, string name, bool mayFollow)
    {
        for (var at = 0; at < arguments.Count; at++)
        {
            var argument = arguments[at];
            if (argument == "--")
            {
                return false;
            }
            if (argument.StartsWith("--", StringComparison.Ordinal))
            {
                // getopt_long(3) takes an abbreviation of a long option.
                var option = argument[2..].Split('=')[0];
                if (LongOptions.Any(o => o.StartsWith(option, StringComparison.Ordinal)))
                {
                    return true;
                }
                at += option is "rcfile" or "init-file" ? 1 : 0;
            }
            else if (argument is ['-' or '+', _, ..])
            {
                if (argument.Contains('c') || (name == "fish" && argument.Contains('C')) || (name == "nu" && argument.Contains('e')))
                {
                    return true;
                }
                at += argument[^1] is 'o' or 'O' ? 1 : 0;
            }
            else if (!mayFollow)
            {
                // A script file: what follows is for the script.
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

    /// <summary>A program's name without folder, <c>.exe</c> and version: <c>/usr/bin/bash-5.2</c> is <c>bash</c>.</summary>
    private static string NameOf(string word)
    {
        var name = OptionName().Replace(word, "");
        name = name[(name.LastIndexOfAny(['/', '\\']) + 1)..].ToLowerInvariant();
        name = name.EndsWith(".exe", StringComparison.Ordinal) ? name[..^4] : name;
        return Version().Replace(name, "");
    }

    [GeneratedRegex(@"^(?:-\w*S|--[\w-]+=)")]
    private static partial Regex OptionName();

    [GeneratedRegex(@"[-.]?\d[\d.]*$")]
    private static partial Regex Version();

    [GeneratedRegex(@"/[ckr]", RegexOptions.IgnoreCase)]
    private static partial Regex CmdOption();
}
