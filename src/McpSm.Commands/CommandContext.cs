using McpSm.Commands.Output;
using McpSm.Commands.Remedies;
using McpSm.Core;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;

namespace McpSm.Commands;

/// <summary>What every command is given.</summary>
internal sealed class CommandContext
{
    public CommandContext(ICommandConsole console, AppEnvironment environment, IEnumerable<IVaultProvider>? vaults)
    {
        Console = console;
        AppEnvironment = environment;
        Interaction = new ConsoleAuthInteraction(console, environment);
        Authenticator = new Authenticator(environment, Interaction, new Story(this), vaults);
    }

    /// <summary>Whether the steps of the work are told.</summary>
    public bool Verbose { get; set; }

    /// <summary>Whether results and errors alone are printed.</summary>
    public bool Quiet
    {
        get => Interaction.Quiet;
        set => Interaction.Quiet = value;
    }

    public ICommandConsole Console { get; }

    /// <summary>Held while several lines are said that belong together.</summary>
    public Lock Writing => Interaction.Writing;

    public AppEnvironment AppEnvironment { get; }
    public ConsoleAuthInteraction Interaction { get; }
    public Authenticator Authenticator { get; }
    public ServerCatalog Catalog => Authenticator.Catalog;

    /// <summary>Runs a command's work and turns its failure into one message and an exit code.</summary>
    /// <param name="about">The server it is about, where a command has several; being cancelled is then the command's to tell.</param>
    public async Task<int> RunAsync(Func<Task<int>> work, string? about = null)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            Fail(e, about);
            return ExitCode.Of(e.Reason);
        }
        catch (OperationCanceledException) when (about is null)
        {
            Console.Error.WriteLine("Cancelled.");
            return ExitCode.Cancelled;
        }
        catch (Exception e) when (e is not (IOException or UnauthorizedAccessException))
        {
            // A mistake of ours. Its message may quote what the network or the user gave, a token perhaps; where it
            // happened cannot. (What fails to be written is the caller's to tell: it may be this very message.)
            Console.Error.WriteLine($"{StatusText.FailureSymbol} An unexpected failure in Mcpsm: {e.GetType().Name}. Please report it with these lines:");
            Console.Error.WriteLine(e.StackTrace);
            return ExitCode.Failed;
        }
    }

    /// <summary>Work for many servers at a time. What one says in several lines stays together under a lock of this context.</summary>
    public static Task ForEachAsync<T>(IEnumerable<T> all, int most, CancellationToken cancellationToken, Func<T, CancellationToken, Task> work) =>
        Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = most, CancellationToken = cancellationToken },
            (one, cancel) => new ValueTask(work(one, cancel)));

    public void Fail(McpAuthException e, string? about = null)
    {
        using var _ = Writing.EnterScope();
        Console.Error.WriteLine($"{Paint(StatusText.FailureSymbol, 31, Console.ErrorColours)} {UntrustedText.SanitizeLine(about is null ? e.Message : $"{about}: {e.Message}")}");
        if (e.Remedy is not null)
        {
            Tell($"  {CliRemedyFormatter.Instance.Format(e.Remedy)}");
        }
    }

    /// <summary>Says that something was done; the exit code says it too.</summary>
    public void Succeed(string text)
    {
        if (!Quiet)
        {
            Print("", $"{StatusText.SuccessSymbol} {text}");
        }
    }

    /// <summary>Says what a person may want to know or do.</summary>
    public void Hint(string text)
    {
        if (!Quiet)
        {
            Tell(text);
        }
    }

    /// <summary>Prints a warning, also with <c>--quiet</c>.</summary>
    public void Warn(string text) => Interaction.Warn(text);

    public void HintNoServers() => Hint("There are no servers yet. Add one with: mcpsm add <name> --type http --url <url>");

    /// <summary>Warns that an issuer has not confirmed a revocation.</summary>
    /// <param name="failure">What went wrong; null if nothing did.</param>
    public void WarnIfNotRevoked(string? failure)
    {
        if (failure is not null)
        {
            Warn($"the tokens were removed here, but not confirmed as revoked. {failure}");
        }
    }

    /// <summary>Prints one line of a result for people.</summary>
    public void Print(string text) => Console.Out.WriteLine(UntrustedText.SanitizeLine(text));

    /// <summary>Prints one line of a result whose state has its symbol coloured; the words stay readable without.</summary>
    public void Print(string before, string state) => Console.Out.WriteLine(UntrustedText.SanitizeLine(before) + state[..1] switch
    {
        StatusText.SuccessSymbol => Paint(StatusText.SuccessSymbol, 32, Console.Colours),
        StatusText.FailureSymbol => Paint(StatusText.FailureSymbol, 31, Console.Colours),
        var other => other,
    } + UntrustedText.SanitizeLine(state[1..]));

    /// <summary>Prints one line for people that is no result. Files and the network may have had a say in it.</summary>
    private void Tell(string text) => Console.Error.WriteLine(UntrustedText.SanitizeLine(text));

    private sealed class Story(CommandContext context) : IProgress<string>
    {
        public void Report(string value)
        {
            if (context.Verbose)
            {
                context.Tell(value);
            }
        }
    }

    private static string Paint(string text, int colour, bool coloured) => coloured ? $"\x1b[{colour}m{text}\x1b[0m" : text;
}
