using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Core.Errors;

namespace McpSm.Commands.Completion;

/// <summary><c>completion &lt;shell&gt;</c>: the script that has a shell ask for suggestions.</summary>
internal static class CompletionCommand
{
    private static readonly string[] Shells = ["bash", "zsh", "fish", "pwsh"];

    public static void AddTo(Command root, CommandContext context)
    {
        var shell = new Argument<string?>("shell") { Description = "bash, zsh, fish or pwsh", HelpName = "shell", Arity = ArgumentArity.ZeroOrOne };
        shell.CompletionSources.Add(Shells);
        var command = new Command("completion", "Print the script that completes mcpsm in a shell") { shell };
        command.SetReadAction((parsed, _) => context.RunAsync(() =>
        {
            var name = parsed.GetValue(shell);
            if (!Shells.Contains(name))
            {
                throw new McpAuthException(ErrorReason.InvalidValue, $"{(name is null ? "A shell is needed" : "There is no script for such a shell")}: it is bash, zsh, fish or pwsh.",
                    "mcpsm completion --help");
            }
            using var script = new StreamReader(typeof(CompletionCommand).Assembly.GetManifestResourceStream($"mcpsm.{name}")!);
            context.Console.Out.Write(script.ReadToEnd().ReplaceLineEndings("\n"));
            return Task.FromResult(ExitCode.Done);
        }));
        root.Add(command);
    }
}
