using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Core.Errors;

namespace McpSm.Commands.Completion;

/// <summary><c>completion</c>: prints the script that makes a shell ask <see cref="CompletionEngine"/> for suggestions.</summary>
internal sealed class CompletionCommand : McpsmSubcommand
{
    private static readonly string[] Shells = ["bash", "zsh", "fish", "pwsh"];

    // Optional, so that a missing argument gets an error that names the shells.
    private readonly Argument<string?> _shell = new("shell") { Description = "bash, zsh, fish or pwsh", HelpName = "shell", Arity = ArgumentArity.ZeroOrOne };

    public CompletionCommand(CommandContext context) : base(context, "completion", "Print the completion script for a shell")
    {
        _shell.CompletionSources.Add(Shells);
        Add(_shell);
        Examples = ["mcpsm completion bash >> ~/.bashrc", "mcpsm completion fish | source"];
    }

    public override bool Changes(ParseResult parsed) => false;

    protected override Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var shell = parsed.GetValue(_shell);
        if (!Shells.Contains(shell))
        {
            throw new McpAuthException(ErrorReason.InvalidValue,
                shell is null
                    ? "mcpsm completion needs a shell: bash, zsh, fish or pwsh."
                    : "There is no completion script for this shell. Use bash, zsh, fish or pwsh.",
                "mcpsm completion --help");
        }
        using var script = new StreamReader(typeof(CompletionCommand).Assembly.GetManifestResourceStream($"mcpsm.{shell}")!);
        Context.Console.Out.Write(script.ReadToEnd().ReplaceLineEndings("\n"));
        return Task.FromResult(ExitCode.Done);
    }
}
