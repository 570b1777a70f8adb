using System.Text;
using McpSm.Commands.Output;
using McpSm.Core.Configuration;
#if HTTP_PROXY
using McpSm.HttpProxy;
using McpSm.Relay;
#endif

namespace McpSm.Cli;

/// <summary>The terminal or pipes of this process.</summary>
internal sealed class SystemConsole : ICommandConsole
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    // The time for the last lines of a log that a client reads slowly.
    private static readonly TimeSpan LogLimit = TimeSpan.FromMilliseconds(200);

    private readonly TimeProvider _time;
    private LogWriter? _log;
    private Task<string?>? _reading;

    public SystemConsole(AppEnvironment environment)
    {
        _time = environment.Time;
        var allowed = environment.Variable("NO_COLOR") is null && environment.Variable("TERM") != "dumb";
        Colours = allowed && !Console.IsOutputRedirected;
        ErrorColours = allowed && !Console.IsErrorRedirected;
        if (OperatingSystem.IsWindows() && !Console.IsOutputRedirected)
        {
            Console.OutputEncoding = Encoding.UTF8;
        }
        else if (Console.OutputEncoding is not UTF8Encoding)
        {
            Console.OutputEncoding = AsciiFallbackEncoding.AddTo(Console.OutputEncoding);
        }
        if (Console.IsOutputRedirected)
        {
            // The default buffer has 256 characters, which means thousands of system calls for a long list.
            Console.SetOut(new StreamWriter(Console.OpenStandardOutput(), Console.Out.Encoding, 4 * 1024) { AutoFlush = true });
        }
    }

    public TextWriter Out => Console.Out;

    public TextWriter Error => Console.Error;

    public bool Colours { get; }

    public bool ErrorColours { get; }

    public bool IsInputTerminal => !Console.IsInputRedirected;

#if HTTP_PROXY
    // A new object each time, so that nothing of the web server is loaded before a command asks for it.
    public IHttpProxy? HttpProxy => new KestrelHttpProxy();
#endif

    /// <summary>Writes what is left of the log of a relay.</summary>
    public void FinishLog() => _log?.Finish(LogLimit, _time);

    /// <summary>Whether the command relays the standard streams.</summary>
    public bool IsRelay { get; private set; }

    public (Stream Input, Stream Output)? OpenStandardStreams()
    {
        IsRelay = true;
        _log = new LogWriter(Console.Error);
        Console.SetError(_log);
        return (Console.OpenStandardInput(), OperatingSystem.IsWindows() ? Console.OpenStandardOutput() : new RelayOutput());
    }

    // A blocking read cannot be cancelled. It continues, and the next call returns its result.
    public async Task<string?> ReadLineAsync(CancellationToken cancellationToken)
    {
        var line = await (_reading ??= Task.Run(Console.In.ReadLine)).WaitAsync(cancellationToken).ConfigureAwait(false);
        _reading = null;
        return line;
    }

    public async Task<string?> ReadSecretAsync(string prompt, CancellationToken cancellationToken)
    {
        Error.Write(prompt);
        Error.Flush();
        var typed = new StringBuilder();
        while (true)
        {
            while (!Console.KeyAvailable)
            {
                await Task.Delay(PollInterval, _time, cancellationToken).ConfigureAwait(false);
            }
            var key = Console.ReadKey(intercept: true);
            switch (key.Key)
            {
                case ConsoleKey.Enter:
                    Error.WriteLine();
                    return typed.ToString().Trim();
                case ConsoleKey.Backspace when typed.Length > 0:
                    typed.Length--;
                    break;
                case ConsoleKey.D when key.Modifiers == ConsoleModifiers.Control && typed.Length == 0:
                    Error.WriteLine();
                    return null;
                default:
                    if (key.KeyChar >= ' ')
                    {
                        typed.Append(key.KeyChar);
                    }
                    break;
            }
        }
    }
}
