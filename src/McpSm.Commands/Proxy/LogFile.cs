using System.Globalization;
using System.Text;
using System.Threading.Channels;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Commands.Proxy;

/// <summary>
/// A log of bounded size that several processes may share. Lines are written in the background. A file that cannot be written, or a slow disk,
/// only costs lines: the relay goes on.
/// </summary>
internal sealed class LogFile : IAsyncDisposable
{
    /// <summary>The size at which the file moves to <c>&lt;path&gt;.1</c>, in bytes.</summary>
    public const int MaxBytes = 5 * 1024 * 1024;

    private const int MaxWaitingLines = 1000;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan EndLimit = TimeSpan.FromMilliseconds(500);

    private readonly Channel<string> _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(MaxWaitingLines)
    {
        FullMode = BoundedChannelFullMode.DropWrite,
        SingleReader = true,
    });

    private readonly string? _path;
    private readonly TimeProvider _time;
    private readonly Action<string> _warn;
    private readonly Task _writing;
    private bool _isBroken;

    /// <param name="path">The path of the file; null for a log that ignores its lines.</param>
    /// <param name="time">The clock.</param>
    /// <param name="warn">Receives one line if the log cannot be written.</param>
    public LogFile(string? path, TimeProvider time, Action<string> warn)
    {
        (_path, _time, _warn) = (path, time, warn);
        _writing = path is null ? Task.CompletedTask : Task.Run(() => WriteAsync(path));
    }

    public bool IsOn => _path is not null;

    /// <summary>Adds a line with the time and the id of this process.</summary>
    public void Write(string text)
    {
        if (IsOn)
        {
            _lines.Writer.TryWrite(string.Create(CultureInfo.InvariantCulture,
                $"{_time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {Environment.ProcessId} {UntrustedText.SanitizeLine(text)}\n"));
        }
    }

    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        // A file system that hangs must not hold the process.
        await _writing.WaitAsync(EndLimit, TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task WriteAsync(string path)
    {
        while (await _lines.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            var text = new StringBuilder();
            while (_lines.Reader.TryRead(out var line))
            {
                text.Append(line);
            }
            try
            {
                Append(path, Encoding.UTF8.GetBytes(text.ToString()));
                _isBroken = false;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
            {
                if (!_isBroken)
                {
                    _isBroken = true;
                    _warn($"The log cannot be written, and the relay goes on without it: {e.GetType().Name}.");
                }
            }
        }
    }

    /// <summary>Opens the file for each batch of lines, because another process may have moved it.</summary>
    private static void Append(string path, byte[] text)
    {
        RequireUsable(path);
        var options = new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }
        long length;
        using (var file = new FileStream(path, options))
        {
            if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(file.SafeFileHandle) != OwnerOnly)
            {
                File.SetUnixFileMode(file.SafeFileHandle, OwnerOnly);
            }
            file.Write(text);
            length = file.Length;
        }
        if (length > MaxBytes)
        {
            File.Move(path, path + ".1", overwrite: true);
        }
    }

    /// <summary>Refuses a pipe, which would block, and a link, which another user may have put in a shared folder.</summary>
    private static void RequireUsable(string path)
    {
        if (!OperatingSystem.IsWindows() && UnixFile.StatusOfLink(path) is { Kind: not FileKind.Regular })
        {
            throw new IOException("The path of the log is not a regular file.");
        }
    }
}
