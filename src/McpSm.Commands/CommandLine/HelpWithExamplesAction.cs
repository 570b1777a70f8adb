using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using McpSm.Commands.Output;

namespace McpSm.Commands.CommandLine;

/// <summary>Prints the help of a command, followed by its examples.</summary>
internal sealed class HelpWithExamplesAction(HelpAction help, ICommandConsole console) : SynchronousCommandLineAction
{
    private const int MinimumWidth = 20;

    public override int Invoke(ParseResult parseResult)
    {
        // System.CommandLine fails to wrap words in fewer columns.
        help.MaxWidth = Math.Max(help.MaxWidth, MinimumWidth);
        var code = help.Invoke(parseResult);
        if (parseResult.CommandResult.Command is CommandWithExamples { Examples: { Count: > 0 } examples })
        {
            console.Out.WriteLine(examples.Count == 1 ? "Example:" : "Examples:");
            foreach (var example in examples)
            {
                console.Out.WriteLine($"  {example.ReplaceLineEndings("\n  ")}");
            }
        }
        return code;
    }
}
