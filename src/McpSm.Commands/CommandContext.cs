using McpSm.Commands.Output;
using McpSm.Commands.Remedies;
using McpSm.Core;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;

namespace McpSm.Commands;

/// <summary>The console, the environment and the services that commands share.</summary>
internal sealed class CommandContext
{
    // SGR colour codes (ECMA-48).
    private const int Red = 31;
    private const int Green = 32;

    public CommandContext(ICommandConsole console, AppEnvironment environment, IEnumerable<IVaultProvider>? vaults)
    {
        Console = console;
        AppEnvironment = environment;
        Interaction = new ConsoleAuthInteraction(console, environment);
        Authenticator = new Authenticator(environment, Interaction, new VerboseProgress(this), vaults);
    }

    /// <summary>Whether to print every step and URL (<c>--verbose</c>).</summary>
    public bool Verbose { get; set; }

    /// <summary>Whether to print only results and errors (<c>--quiet</c>).</summary>
    public bool Quiet
    {
        get => Interaction.Quiet;
        set => Interaction.Quiet = value;
    }

    public ICommandConsole Console { get; }

    /// <summary>A lock to hold while printing several lines that belong together.</summary>
    public Lock Writing => Interaction.Writing;

    public AppEnvironment AppEnvironment { get; }
    public ConsoleAuthInteraction Interaction { get; }
    public Authenticator Authenticator { get; }
    public ServerCatalog Catalog => Authenticator.Catalog;

    /// <summary>Does the work of a command, and turns a failure into one message and an exit code.</summary>
    /// <param name="work">The work, which returns the exit code.</param>
    /// <param name="server">The server that this part of the work is about, if the command works on several. The message then begins
    /// with its name, and a cancellation is left to the command.</param>
    public async Task<int> RunAsync(Func<Task<int>> work, string? server = null)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            Fail(e, server);
            return ExitCode.Of(e.Reason);
        }
        catch (OperationCanceledException) when (server is null)
        {
            Console.Error.WriteLine("Cancelled.");
            return ExitCode.Cancelled;
        }
        catch (Exception e) when (e is not (IOException or UnauthorizedAccessException))
        {
            // A bug in Mcpsm. The message is not printed, because it may quote input such as a token. A stack trace cannot.
            // The caller handles errors of writing, which may have interrupted this very message.
            Console.Error.WriteLine($"{StatusText.FailureSymbol} Unexpected error in Mcpsm: {e.GetType().Name}. Please report it with these lines:");
            Console.Error.WriteLine(e.StackTrace);
            return ExitCode.Failed;
        }
    }

    /// <summary>Does the work for several items at the same time, at most <paramref name="limit"/> of them.</summary>
    public static Task ForEachAsync<T>(IEnumerable<T> items, int limit, CancellationToken cancellationToken, Func<T, CancellationToken, Task> work) =>
        Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = limit, CancellationToken = cancellationToken },
            (item, cancel) => new ValueTask(work(item, cancel)));

    /// <summary>Prints an error and its remedy.</summary>
    /// <param name="e">The error.</param>
    /// <param name="server">The name of a server to put before the message; null if the command has only one.</param>
    public void Fail(McpAuthException e, string? server = null)
    {
        using var _ = Writing.EnterScope();
        var message = server is null ? e.Message : $"{server}: {e.Message}";
        Console.Error.WriteLine($"{Paint(StatusText.FailureSymbol, Red, Console.ErrorColours)} {UntrustedText.SanitizeLine(message)}");
        if (e.Remedy is not null)
        {
            PrintMessage($"  {CliRemedyFormatter.Instance.Format(e.Remedy)}");
        }
    }

    /// <summary>Prints that something was done. With <c>--quiet</c> only the exit code says so.</summary>
    public void Succeed(string text)
    {
        if (!Quiet)
        {
            Print("", $"{StatusText.SuccessSymbol} {text}");
        }
    }

    /// <summary>Prints advice for a person.</summary>
    public void Hint(string text)
    {
        if (!Quiet)
        {
            PrintMessage(text);
        }
    }

    /// <summary>Prints a warning, also with <c>--quiet</c>.</summary>
    public void Warn(string text) => Interaction.Warn(text);

    public void HintNoServers() => Hint("There are no servers yet. Add one with: mcpsm add <name> --type http --url <url>");

    /// <summary>Warns that the issuer did not confirm a revocation.</summary>
    /// <param name="failure">What went wrong; null if the issuer confirmed it.</param>
    public void WarnIfNotRevoked(string? failure)
    {
        if (failure is not null)
        {
            Warn($"the tokens were removed, but the issuer did not confirm their revocation. {failure}");
        }
    }

    /// <summary>Prints one line of a result.</summary>
    public void Print(string text) => Console.Out.WriteLine(UntrustedText.SanitizeLine(text));

    /// <summary>Prints one line of a result that ends with a state. Only the symbol of the state has a colour.</summary>
    public void Print(string prefix, string state) => Console.Out.WriteLine(UntrustedText.SanitizeLine(prefix) + state[..1] switch
    {
        StatusText.SuccessSymbol => Paint(StatusText.SuccessSymbol, Green, Console.Colours),
        StatusText.FailureSymbol => Paint(StatusText.FailureSymbol, Red, Console.Colours),
        var other => other,
    } + UntrustedText.SanitizeLine(state[1..]));

    /// <summary>Prints one line that is not part of the result. It may contain text from files and the network.</summary>
    private void PrintMessage(string text) => Console.Error.WriteLine(UntrustedText.SanitizeLine(text));

    private sealed class VerboseProgress(CommandContext context) : IProgress<string>
    {
        public void Report(string value)
        {
            if (context.Verbose)
            {
                context.PrintMessage(value);
            }
        }
    }

    private static string Paint(string text, int colour, bool coloured) => coloured ? $"\x1b[{colour}m{text}\x1b[0m" : text;
}
