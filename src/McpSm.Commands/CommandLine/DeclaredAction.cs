using System.CommandLine;
using System.CommandLine.Invocation;

namespace McpSm.Commands.CommandLine;

/// <summary>The work of a command, and whether it changes something: files, the vault, or what an issuer knows.</summary>
internal sealed class DeclaredAction(Func<ParseResult, CancellationToken, Task<int>> work, Func<ParseResult, bool> changes) : AsynchronousCommandLineAction
{
    public override Task<int> InvokeAsync(ParseResult parseResult, CancellationToken cancellationToken = default) => work(parseResult, cancellationToken);

    public bool Changes(ParseResult parsed) => changes(parsed);
}
