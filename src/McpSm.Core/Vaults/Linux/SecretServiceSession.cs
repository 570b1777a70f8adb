using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Vaults.EncryptedFile;

namespace McpSm.Core.Vaults.Linux;

/// <summary>
/// One operation on the Secret Service, over a connection of its own, so that a long-lived process never holds on to a
/// bus or a service that has gone. It runs on a thread of its own: libsecret blocks, and a service can hang.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class SecretServiceSession : IDisposable
{
    private static Remedy UseFile => $"use the encrypted file with: {new UseVaultStep(EncryptedFileVault.VaultName)}, and "
        + $"{new StepOption(StepOptionKind.Vault, EncryptedFileVault.VaultName)} where you sign in again";

    /// <summary>How long no answer comes before it is told to stop.</summary>
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(2.5);

    /// <summary>How long it may take to stop before it is left behind.</summary>
    private static readonly TimeSpan CancelTimeout = TimeSpan.FromSeconds(0.5);

    /// <summary>When the service last answered, to whichever operation: with many at once, each waits for those before it.</summary>
    private static long s_hasAnswered;

    private readonly Stack<SafeHandle> _kept = new();
    private readonly nint _context;
    private readonly GObject _cancellable;
    private readonly CancellationTokenRegistration _stopping;

    private SecretServiceSession(CancellationToken stop)
    {
        // What arrives for this operation is queued here, and freed with it, not for a main loop that nobody runs.
        _context = LibSecret.NewMainContext();
        LibSecret.PushThreadDefault(_context);
        _cancellable = Keep(LibSecret.NewCancellable());
        _stopping = stop.Register(() => LibSecret.Cancel(_cancellable));
    }

    public GObject Cancellable => _cancellable;

    public GObject Service { get; private set; } = null!;

    /// <summary>Runs the work. It has ended, one way or the other, when no answer has come for 3 seconds.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, with what to do.</exception>
    public static async Task<T> RunAsync<T>(AppEnvironment environment, Func<SecretServiceSession, T> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var address = DBusSession.Address(environment) ?? throw new McpAuthException(ErrorReason.VaultUnavailable,
            "There is no session bus here, over which the Secret Service is reached: DBUS_SESSION_BUS_ADDRESS is not set, and there is no $XDG_RUNTIME_DIR/bus.",
            $"Run the command in your desktop session, or {UseFile}");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var stop = limit.Token;
        var working = Task.Factory.StartNew(() => Run(address, work, stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            return await EndAsync(working, limit, cancellationToken).ConfigureAwait(false);
        }
        catch (GErrorException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException || (e is GErrorException { IsCancelled: true } && stop.IsCancellationRequested))
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable, $"The Secret Service did not answer within {(CallTimeout + CancelTimeout).TotalSeconds:0} seconds.",
                $"Answer it if it asks for something in a window, or restart it, or {UseFile}", e);
        }
        catch (GErrorException e)
        {
            throw Explain(e);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable, "The Secret Service is reached with libsecret, which is not installed.",
                $"Install it (Debian, Ubuntu: apt install libsecret-1-0; Fedora, Arch, Alpine: the package libsecret), or {UseFile}", e)
            { IsVaultGone = true };
        }
    }

    /// <summary>Frees it with the operation.</summary>
    public T Keep<T>(T handle) where T : SafeHandle
    {
        _kept.Push(handle);
        return handle;
    }

    /// <summary>After each question to the service.</summary>
    /// <exception cref="GErrorException">The answer is an error.</exception>
    public void Check(nint error)
    {
        GErrorException.ThrowIf(error);
        Volatile.Write(ref s_hasAnswered, Stopwatch.GetTimestamp());
    }

    /// <summary>The collection that new items go to, which is open.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked.</exception>
    public GObject OpenCollection()
    {
        var collection = Keep(LibSecret.CollectionForAlias(Service, "default", 0, Cancellable, out var error));
        Check(error);
        if (collection.IsInvalid)
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable, "The Secret Service has no default keyring to keep anything in.",
                $"Make one, for example in 'Passwords and Keys' (seahorse), or {UseFile}");
        }
        return LibSecret.CollectionIsLocked(collection) ? throw Locked() : collection;
    }

    public static McpAuthException Locked() => new(ErrorReason.VaultLocked, "The keyring of the Secret Service is locked.",
        "Unlock it in 'Passwords and Keys' (seahorse) or your wallet manager, then run the command again. GNOME Keyring without a desktop: "
        + "read -rs p && printf %s \"$p\" | gnome-keyring-daemon --replace --unlock");

    /// <summary>Something between finding and using it went wrong without an error: a question that was dismissed.</summary>
    public static McpAuthException Refused(string what) => new(ErrorReason.VaultUnavailable, $"The Secret Service did not {what}.",
        "Allow it where the Secret Service asks, then run the command again.");

    public void Dispose()
    {
        _stopping.Dispose();
        while (_kept.TryPop(out var handle))
        {
            handle.Dispose();
        }
        while (LibSecret.Iterate(_context, mayBlock: false) != 0)
        {
        }
        LibSecret.PopThreadDefault(_context);
        LibSecret.UnrefMainContext(_context);
    }

    /// <exception cref="TimeoutException">Nobody had an answer for as long as one may take, and it did not stop when told to.</exception>
    private static async Task<T> EndAsync<T>(Task<T> working, CancellationTokenSource limit, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (CallTimeout - Stopwatch.GetElapsedTime(Math.Max(started, Volatile.Read(ref s_hasAnswered))) is var left && left > TimeSpan.Zero)
        {
            try
            {
                return await working.WaitAsync(left, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // Others may have had answers meanwhile.
            }
        }
        limit.Cancel();
        return await working.WaitAsync(CancelTimeout, cancellationToken).ConfigureAwait(false);
    }

    private static T Run<T>(string address, Func<SecretServiceSession, T> work, CancellationToken stop)
    {
        DBusSession.Use(address);
        for (var again = 3; ; again--)
        {
            using var call = new SecretServiceSession(stop);
            try
            {
                call.Connect(stop);
                return work(call);
            }
            catch (GErrorException e) when (e.IsGone && again > 0)
            {
                // Somebody else removed what was just found: look again.
            }
        }
    }

    private void Connect(CancellationToken stop)
    {
        GObject bus;
        while (true)
        {
            bus = Keep(LibSecret.GetBus(LibSecret.SessionBus, Cancellable, out var failure));
            try
            {
                GErrorException.ThrowIf(failure);
                break;
            }
            catch (GErrorException e) when (e.IsCancelled && !stop.IsCancellationRequested)
            {
                // The connection is one for all that run at the same moment, and another who was making it was cancelled.
            }
            catch (GErrorException e) when (!e.IsCancelled)
            {
                throw new McpAuthException(ErrorReason.VaultUnavailable,
                    $"The session bus, over which the Secret Service is reached, cannot be used: {UntrustedText.Sanitize(e.Text).TrimEnd('.')}.",
                    $"Run the command in your desktop session, or {UseFile}", e);
            }
        }
        // GLib would end this process with the bus.
        LibSecret.SetExitOnClose(bus, false);
        Service = Keep(LibSecret.OpenService(LibSecret.ServiceType(), 0, 0, Cancellable, out var error));
        Check(error);
    }

    private static McpAuthException Explain(GErrorException e) => e.IsLocked ? Locked()
        : e.IsNoService ? new McpAuthException(ErrorReason.VaultUnavailable, "No Secret Service runs on this session bus.",
            $"Start or install one (gnome-keyring, KWallet, KeePassXC), or {UseFile}", e)
        : new McpAuthException(ErrorReason.VaultUnavailable, $"The Secret Service failed: {UntrustedText.Sanitize(e.Text).TrimEnd('.')}.",
            $"Run the command again, or {UseFile}", e);
}
