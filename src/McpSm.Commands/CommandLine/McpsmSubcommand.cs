using System.CommandLine;
using System.CommandLine.Invocation;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Commands.CommandLine;

/// <summary>
/// A command that can run. Each derived class has everything about one command: arguments, options, help, examples, the vaults
/// that it uses, and its work.
/// </summary>
internal abstract class McpsmSubcommand : CommandWithExamples
{
    protected McpsmSubcommand(CommandContext context, string name, string description) : base(name, description)
    {
        Context = context;
        Action = new RunAction(this);
    }

    /// <summary>Whether the command always reads standard input, and not only for an argument such as <c>-</c>.</summary>
    public virtual bool ReadsStandardInput => false;

    /// <summary>Whether the command needs the standard streams as bytes, in whatever process it runs.</summary>
    public virtual bool NeedsStandardStreams => false;

    protected CommandContext Context { get; }

    /// <summary>
    /// Returns whether these arguments ask to change something: a file, a vault, or what an issuer stores. A session with
    /// <c>$WhatIfPreference</c> describes a change instead of making it. Renewing a token that is due does not count as a change.
    /// </summary>
    public abstract bool Changes(ParseResult parsed);

    /// <summary>
    /// Returns the names of the vaults that the command will read or write, so that it can run in PowerShell if only PowerShell
    /// can open one of them. A name is null if nothing is stored yet.
    /// </summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public virtual IEnumerable<string?> FindVaults(ParseResult parsed) => [];

    /// <summary>
    /// Returns the name of the server that the command is about, or null. It comes from the catalog and not from the arguments,
    /// because one of those may be a misplaced token.
    /// </summary>
    /// <exception cref="McpAuthException">ServerNotFound. The message does not repeat the argument.</exception>
    public virtual string? FindTarget(ParseResult parsed) => null;

    /// <summary>Does the work and returns the exit code.</summary>
    /// <exception cref="McpAuthException">The work failed. The caller prints the error.</exception>
    protected abstract Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken);

    /// <summary>Returns the vaults that have credentials of these servers, and the vault that a new credential would go to.</summary>
    protected IEnumerable<string?> FindVaultsOf(IEnumerable<McpServer> servers, ParseResult parsed)
    {
        var current = Context.Authenticator.Vaults.NamesOf(servers);
        if (VaultOption.Read(parsed) is { } requested)
        {
            // The old credential must still be read and revoked in its current vault.
            return [requested, .. current];
        }
        return current.Count == 0 || current.Contains(null) ? [Context.Authenticator.Vaults.NameFor(null), .. current] : current;
    }

    private sealed class RunAction(McpsmSubcommand command) : AsynchronousCommandLineAction
    {
        public override Task<int> InvokeAsync(ParseResult parseResult, CancellationToken cancellationToken = default) =>
            command.Context.RunAsync(() => command.RunAsync(parseResult, cancellationToken));
    }
}
