using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;

namespace McpSm.Core.Vaults.Linux;

/// <summary>
/// The Secret Service of the desktop (GNOME Keyring, KWallet, KeePassXC), through libsecret. It is searched without
/// unlocking anything: what is locked is an error, never nothing, and nobody is asked for a password.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class SecretServiceVault(AppEnvironment environment) : IVault
{
    public const string VaultName = "secret-service";

    /// <summary>The kind of items that are ours, as libsecret marks it.</summary>
    private const string Schema = "io.github.mcpsm.Credential";

    public string Name => VaultName;

    public string Protection => DBusSession.Address(environment) is null
        ? "There is no session bus here, over which the keyring of a desktop would be reached."
        : "Kept by the keyring of your desktop (GNOME Keyring, KWallet, KeePassXC), encrypted under its password: protects "
          + "while it is locked, not against programs that run as you while it is open.";

    public Task<string?> GetAsync(string item, CancellationToken cancellationToken) => SecretServiceSession.RunAsync(environment, call =>
    {
        if (Find(call, item) is not [var path, ..])
        {
            // Some services show nothing of a keyring that is locked.
            call.OpenCollection();
            return null;
        }
        var found = Load(call, path);
        LibSecret.LoadSecret(found, call.Cancellable, out var error);
        call.Check(error);
        var value = call.Keep(LibSecret.GetSecret(found));
        return value.IsInvalid ? throw SecretServiceSession.Refused("give the item") : TextOf(value);
    }, cancellationToken);

    public Task SetAsync(string item, string text, CancellationToken cancellationToken) => SecretServiceSession.RunAsync(environment, call =>
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var value = call.Keep(LibSecret.NewValue(bytes, bytes.Length, "text/plain"));
        CryptographicOperations.ZeroMemory(bytes);
        nint error;
        if (Find(call, item) is [var path, ..])
        {
            // Where it is, which need not be where new items go: there is only ever one.
            LibSecret.SetSecret(Load(call, path), value, call.Cancellable, out error);
            call.Check(error);
            return true;
        }
        // Replaces, too: another process may be the first to make it.
        var made = call.Keep(LibSecret.CreateItem(call.OpenCollection(), 0, call.Keep(AttributesOf(item)), LabelOf(item), value,
            LibSecret.CreateReplace, call.Cancellable, out error));
        call.Check(error);
        return made.IsInvalid ? throw SecretServiceSession.Refused("keep the item") : true;
    }, cancellationToken);

    public Task<bool> RemoveAsync(string item, CancellationToken cancellationToken) => SecretServiceSession.RunAsync(environment, call =>
    {
        var all = Find(call, item);
        if (all.Count == 0)
        {
            call.OpenCollection();
        }
        foreach (var path in all)
        {
            var removed = LibSecret.DeleteItem(Load(call, path), call.Cancellable, out var error);
            call.Check(error);
            if (!removed)
            {
                throw SecretServiceSession.Refused("remove the item");
            }
        }
        return all.Count > 0;
    }, cancellationToken);

    public Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken) => SecretServiceSession.RunAsync<IReadOnlyList<string>>(environment, call =>
    {
        call.OpenCollection();
        return [.. Find(call, null).Select(path => NameOf(call, path)).OfType<string>().Distinct()];
    }, cancellationToken);

    /// <summary>The name of what was found; null where somebody has removed it since.</summary>
    private static string? NameOf(SecretServiceSession call, string path)
    {
        try
        {
            using var found = Load(call, path);
            using var attributes = LibSecret.GetAttributes(found);
            return Marshal.PtrToStringUTF8(LibSecret.Lookup(attributes, "item"));
        }
        catch (GErrorException e) when (e.IsGone)
        {
            return null;
        }
    }

    /// <summary>Where the items of that name are, or of any.</summary>
    /// <exception cref="Errors.McpAuthException">VaultLocked: one of them is locked.</exception>
    private List<string> Find(SecretServiceSession call, string? item)
    {
        LibSecret.Search(call.Service, 0, call.Keep(AttributesOf(item)), call.Cancellable, out var unlocked, out var locked, out var error);
        var found = (Unlocked: LibSecret.TakeTexts(unlocked), Locked: LibSecret.TakeTexts(locked));
        call.Check(error);
        return found.Locked.Count > 0 ? throw SecretServiceSession.Locked() : found.Unlocked;
    }

    private static GObject Load(SecretServiceSession call, string path)
    {
        var item = call.Keep(LibSecret.LoadItem(call.Service, path, 0, call.Cancellable, out var error));
        call.Check(error);
        return item;
    }

    private GHashTable AttributesOf(string? item) => item is null
        ? LibSecret.NewAttributes(("xdg:schema", Schema), ("owner", environment.Owner))
        : LibSecret.NewAttributes(("xdg:schema", Schema), ("owner", environment.Owner), ("item", item));

    /// <summary>What people see of it in their keyring.</summary>
    private static string LabelOf(string item) => item.Split('-', 2) switch
    {
        ["mcpsm", var server] => $"Mcpsm: {server}",
        ["mcpsmclient", var issuer] => $"Mcpsm: client registration {issuer}",
        ["mcpsmcheck", _] => "Mcpsm: check",
        _ => $"Mcpsm: {item}",
    };

    private static unsafe string TextOf(SecretValue value) =>
        Encoding.UTF8.GetString(new ReadOnlySpan<byte>((void*)LibSecret.ValueBytes(value, out var length), checked((int)length)));
}
