using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Vaults.EncryptedFile;

namespace McpSm.Core.Vaults.Linux;

/// <summary>
/// One operation on the Secret Service. Each operation has its own connection, so that a long-lived process does not keep a dead bus or service, and
/// its own thread, because libsecret blocks and a service can hang.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class SecretServiceSession : IDisposable
{
    private static Remedy UseFile => $"use the encrypted file with: {new UseVaultStep(EncryptedFileVault.VaultName)}, and add "
        + $"{new StepOption(StepOptionKind.Vault, EncryptedFileVault.VaultName)} when you sign in again";

    /// <summary>How long the service may take to respond before the operation is cancelled.</summary>
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(2.5);

    /// <summary>How long a cancelled operation may take to end before it is abandoned.</summary>
    private static readonly TimeSpan CancelTimeout = TimeSpan.FromSeconds(0.5);

#pragma warning disable RS0030 // The service responds no sooner because a test moves the clock of AppEnvironment.
    private static readonly TimeProvider Clock = TimeProvider.System;
#pragma warning restore RS0030

    /// <summary>When the service last responded to any operation. Concurrent operations queue, so each waits for the earlier ones.</summary>
    private static long s_lastResponse;

    private readonly Stack<SafeHandle> _handles = new();
    private readonly nint _context;
    private readonly GObject _cancellable;
    private readonly CancellationTokenRegistration _stopping;

    private SecretServiceSession(CancellationToken stop)
    {
        // Events for this operation are queued in its own context and freed with it. The default context would need a main loop, which this process
        // does not run.
        _context = LibSecret.NewMainContext();
        LibSecret.PushThreadDefault(_context);
        _cancellable = Keep(LibSecret.NewCancellable());
        _stopping = stop.Register(() => LibSecret.Cancel(_cancellable));
    }

    public GObject Cancellable => _cancellable;

    public GObject Service { get; private set; } = null!;

    /// <summary>Runs the operation. It ends with an error if the service does not respond for 3 seconds.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable or VaultLocked, with a remedy.</exception>
    public static async Task<T> RunAsync<T>(AppEnvironment environment, Func<SecretServiceSession, T> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var address = DBusSession.Address(environment) ?? throw new McpAuthException(ErrorReason.VaultUnavailable,
            "The Secret Service is not reachable: a D-Bus session bus does not exist here (DBUS_SESSION_BUS_ADDRESS is not set and "
                + "$XDG_RUNTIME_DIR/bus does not exist).",
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
            throw new McpAuthException(ErrorReason.VaultUnavailable,
                $"The Secret Service did not respond within {(CallTimeout + CancelTimeout).TotalSeconds:0} seconds.",
                $"Close its prompt if it shows one, or restart the service, or {UseFile}", e);
        }
        catch (GErrorException e)
        {
            throw Explain(e);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable, "Access to the Secret Service needs libsecret, which is not installed.",
                $"Install it (Debian, Ubuntu: apt install libsecret-1-0; Fedora, Arch, Alpine: the package libsecret), or {UseFile}", e)
            { IsVaultGone = true };
        }
    }

    /// <summary>Disposes the handle when the operation ends.</summary>
    public T Keep<T>(T handle) where T : SafeHandle
    {
        _handles.Push(handle);
        return handle;
    }

    /// <summary>Checks the result of a request to the service.</summary>
    /// <exception cref="GErrorException">The service returned an error.</exception>
    public static void Check(nint error)
    {
        GErrorException.ThrowIf(error);
        Volatile.Write(ref s_lastResponse, Clock.GetTimestamp());
    }

    /// <summary>Returns the unlocked collection for new items.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked.</exception>
    public GObject OpenCollection()
    {
        var collection = Keep(LibSecret.CollectionForAlias(Service, "default", 0, Cancellable, out var error));
        Check(error);
        if (collection.IsInvalid)
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable, "The Secret Service does not have a default keyring.",
                $"Create one, for example in 'Passwords and Keys' (seahorse), or {UseFile}");
        }
        return LibSecret.CollectionIsLocked(collection) ? throw Locked() : collection;
    }

    public static McpAuthException Locked() => new(ErrorReason.VaultLocked, "The keyring of the Secret Service is locked.",
        "Unlock the keyring in 'Passwords and Keys' (seahorse) or your wallet manager, then run the command again. GNOME Keyring without a desktop: "
        + "read -rs p && printf %s \"$p\" | gnome-keyring-daemon --replace --unlock");

    /// <summary>The error for an operation that ended without a GError and without a result: the user dismissed a prompt.</summary>
    public static McpAuthException Refused(string action) => new(ErrorReason.VaultUnavailable, $"The Secret Service did not {action}.",
        "Run the command again and allow access when the Secret Service asks.");

    public void Dispose()
    {
        _stopping.Dispose();
        while (_handles.TryPop(out var handle))
        {
            handle.Dispose();
        }
        while (LibSecret.Iterate(_context, mayBlock: false) != 0)
        {
        }
        LibSecret.PopThreadDefault(_context);
        LibSecret.UnrefMainContext(_context);
    }

    /// <exception cref="TimeoutException">The service did not respond in time, and the operation did not end after it was cancelled.</exception>
    private static async Task<T> EndAsync<T>(Task<T> working, CancellationTokenSource limit, CancellationToken cancellationToken)
    {
        var started = Clock.GetTimestamp();
        while (CallTimeout - Clock.GetElapsedTime(Math.Max(started, Volatile.Read(ref s_lastResponse))) is var remaining && remaining > TimeSpan.Zero)
        {
            try
            {
                return await working.WaitAsync(remaining, Clock, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // The service may have responded to other operations in the meantime.
            }
        }
        limit.Cancel();
        return await working.WaitAsync(CancelTimeout, Clock, cancellationToken).ConfigureAwait(false);
    }

    private static T Run<T>(string address, Func<SecretServiceSession, T> work, CancellationToken stop)
    {
        DBusSession.Use(address);
        for (var retries = 3; ; retries--)
        {
            using var session = new SecretServiceSession(stop);
            try
            {
                session.Connect(stop);
                return work(session);
            }
            catch (GErrorException e) when (e.IsGone && retries > 0)
            {
                // Another process removed the item that was just found. Search again.
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
                // GLib shares the connection between operations, and another operation that was opening it was cancelled. Retry.
            }
            catch (GErrorException e) when (!e.IsCancelled)
            {
                throw new McpAuthException(ErrorReason.VaultUnavailable,
                    $"The Secret Service is not reachable: the D-Bus session bus failed: {UntrustedText.Sanitize(e.Text).TrimEnd('.')}.",
                    $"Run the command in your desktop session, or {UseFile}", e);
            }
        }
        // Otherwise GLib ends this process when the bus closes.
        LibSecret.SetExitOnClose(bus, false);
        Service = Keep(LibSecret.OpenService(LibSecret.ServiceType(), 0, 0, Cancellable, out var error));
        Check(error);
    }

    private static McpAuthException Explain(GErrorException e) => e.IsLocked ? Locked()
        : e.IsNoService ? new McpAuthException(ErrorReason.VaultUnavailable, "The Secret Service is not running on the D-Bus session bus.",
            $"Start or install a service (gnome-keyring, KWallet, KeePassXC), or {UseFile}", e)
        : new McpAuthException(ErrorReason.VaultUnavailable, $"The Secret Service failed: {UntrustedText.Sanitize(e.Text).TrimEnd('.')}.",
            $"Run the command again, or {UseFile}", e);
}
