namespace McpSm.Commands.Output;

/// <summary>Where a command speaks and listens: a terminal, or a PowerShell host.</summary>
public interface ICommandConsole
{
    /// <summary>Results; nothing else.</summary>
    TextWriter Out { get; }

    /// <summary>Everything for people that is no result.</summary>
    TextWriter Error { get; }

    /// <summary>Whether <see cref="Out"/> may be coloured.</summary>
    bool Colours { get; }

    /// <summary>Whether <see cref="Error"/> may be coloured: one of the two can be a file where the other is none.</summary>
    bool ErrorColours { get; }

    /// <summary>Whether a line can be typed here, as opposed to piped.</summary>
    bool IsInputTerminal { get; }

    /// <summary>Whether the host was started to ask nothing, as pwsh is with <c>-NonInteractive</c>.</summary>
    bool ForbidsQuestions => false;

    /// <summary>Whether a command that changes something is only described, as with <c>$WhatIfPreference</c> in PowerShell.</summary>
    bool IsWhatIf => false;

    /// <summary>Describes a command that was not run.</summary>
    /// <param name="target">The server it is about; null if it is about none.</param>
    Task SayWhatIfAsync(string operation, string? target, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The standard streams as bytes; null if they are not this command's own, as in a PowerShell session.</summary>
    (Stream Input, Stream Output)? OpenStandardStreams() => null;

    /// <summary>A line; null where input has ended.</summary>
    Task<string?> ReadLineAsync(CancellationToken cancellationToken);

    /// <summary>A line that is not shown while it is typed; null where input has ended.</summary>
    Task<string?> ReadSecretAsync(string prompt, CancellationToken cancellationToken);
}
