using McpSm.Commands.Proxy;
using McpSm.Relay;

namespace McpSm.Commands.Output;

/// <summary>The input and output of a command: a terminal, pipes, or a PowerShell host.</summary>
public interface ICommandConsole
{
    /// <summary>The stream for results only.</summary>
    TextWriter Out { get; }

    /// <summary>The stream for messages: prompts, hints, warnings and errors.</summary>
    TextWriter Error { get; }

    /// <summary>Whether <see cref="Out"/> supports colours.</summary>
    bool Colours { get; }

    /// <summary>Whether <see cref="Error"/> supports colours. Only one of the two streams may be redirected.</summary>
    bool ErrorColours { get; }

    /// <summary>Whether standard input is a terminal.</summary>
    bool IsInputTerminal { get; }

    /// <summary>Whether the host forbids prompts, as pwsh does with <c>-NonInteractive</c>.</summary>
    bool ForbidsQuestions => false;

    /// <summary>Whether to describe a change instead of making it, as with <c>$WhatIfPreference</c> in PowerShell.</summary>
    bool IsWhatIf => false;

    /// <summary>Describes a command that is not run.</summary>
    /// <param name="operation">The command and what it does.</param>
    /// <param name="target">The server that the command is about, or null.</param>
    /// <param name="cancellationToken">Cancels printing.</param>
    Task SayWhatIfAsync(string operation, string? target, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The folder of the project that the user works in.</summary>
    string CurrentFolder => Directory.GetCurrentDirectory();

    /// <summary>Opens the standard streams for bytes. Returns null if the command has none of its own, as in a PowerShell session.</summary>
    (Stream Input, Stream Output)? OpenStandardStreams() => null;

    /// <summary>Serves MCP servers over HTTP; null if the program contains no web server.</summary>
    IHttpProxy? HttpProxy => null;

    /// <summary>How to start <c>mcpsm</c> again, for a process that outlives this one.</summary>
    OwnProgram OwnProgram => OwnProgram.Executable();

    /// <summary>Reads a line, or returns null if the input has ended.</summary>
    Task<string?> ReadLineAsync(CancellationToken cancellationToken);

    /// <summary>Reads a line without echoing it, or returns null if the input has ended.</summary>
    Task<string?> ReadSecretAsync(string prompt, CancellationToken cancellationToken);
}
