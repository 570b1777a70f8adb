using System.Text;
using McpSm.Commands.Output;
using McpSm.Core.Configuration;
using Microsoft.Win32.SafeHandles;

namespace McpSm.Cli;

/// <summary>The terminal or pipes of this process.</summary>
internal sealed class SystemConsole : ICommandConsole
{
    private const int StandardOutput = 1;

    private Task<string?>? _reading;

    public SystemConsole(AppEnvironment environment)
    {
        var wanted = environment.Variable("NO_COLOR") is null && environment.Variable("TERM") != "dumb";
        Colours = wanted && !Console.IsOutputRedirected;
        ErrorColours = wanted && !Console.IsErrorRedirected;
        if (OperatingSystem.IsWindows() && !Console.IsOutputRedirected)
        {
            Console.OutputEncoding = Encoding.UTF8;
        }
        else if (Console.OutputEncoding is not UTF8Encoding)
        {
            Console.OutputEncoding = AsciiFallbackEncoding.Of(Console.OutputEncoding);
        }
        if (Console.IsOutputRedirected)
        {
            // .NET passes 256 characters at a time on, which for a long answer are thousands of calls of the system.
            Console.SetOut(new StreamWriter(Console.OpenStandardOutput(), Console.Out.Encoding, 4 * 1024) { AutoFlush = true });
        }
    }

    public TextWriter Out => Console.Out;

    public TextWriter Error => Console.Error;

    public bool Colours { get; }

    public bool ErrorColours { get; }

    public bool IsInputTerminal => !Console.IsInputRedirected;

    // .NET's own stream hides that the reader of a pipe is gone.
    public (Stream Input, Stream Output)? OpenStandardStreams() => (Console.OpenStandardInput(), OperatingSystem.IsWindows() ? Console.OpenStandardOutput()
        : new FileStream(new SafeFileHandle(StandardOutput, ownsHandle: false), FileAccess.Write, bufferSize: 0));

    // A blocking read cannot be cancelled: it is left behind, and whoever reads next gets what it reads.
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
                await Task.Delay(20, cancellationToken).ConfigureAwait(false);
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
