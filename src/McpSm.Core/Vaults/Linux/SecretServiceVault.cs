using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using McpSm.Core.Configuration;

namespace McpSm.Core.Vaults.Linux;

/// <summary>
/// The Secret Service of the desktop (GNOME Keyring, KWallet, KeePassXC), through libsecret. Searches do not unlock anything and do not prompt for a
/// password. A locked item is an error: it is never reported as missing.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class SecretServiceVault(AppEnvironment environment) : IVault
{
    public const string VaultName = "secret-service";

    /// <summary>The libsecret schema that marks our items.</summary>
    private const string Schema = "io.github.mcpsm.Credential";

    public string Name => VaultName;

    public string Protection => DBusSession.Address(environment) is null
        ? "The keyring of a desktop is not reachable: a D-Bus session bus does not exist here."
        : "Stored in the keyring of your desktop (GNOME Keyring, KWallet, KeePassXC) and encrypted with its password. Protects while the keyring is locked, "
          + "but not against programs that run as you while it is unlocked.";

    public Task<string?> GetAsync(string item, CancellationToken cancellationToken) => SecretServiceSession.RunAsync(environment, session =>
    {
        if (Find(session, item) is not [var path, ..])
        {
            // Some services hide the items of a locked keyring. This fails if the default keyring is locked.
            session.OpenCollection();
            return null;
        }
        var found = Load(session, path);
        LibSecret.LoadSecret(found, session.Cancellable, out var error);
        SecretServiceSession.Check(error);
        var value = session.Keep(LibSecret.GetSecret(found));
        return value.IsInvalid ? throw SecretServiceSession.Refused("return the item") : TextOf(value);
    }, cancellationToken);

    public Task SetAsync(string item, string text, CancellationToken cancellationToken) => SecretServiceSession.RunAsync(environment, session =>
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var value = session.Keep(LibSecret.NewValue(bytes, bytes.Length, "text/plain"));
        CryptographicOperations.ZeroMemory(bytes);
        nint error;
        if (Find(session, item) is [var path, ..])
        {
            // Update the item in its collection, which need not be the default one: a second item would be ambiguous.
            LibSecret.SetSecret(Load(session, path), value, session.Cancellable, out error);
            SecretServiceSession.Check(error);
            return true;
        }
        // Create with replace: another process may have created the item at the same time.
        var created = session.Keep(LibSecret.CreateItem(session.OpenCollection(), 0, session.Keep(AttributesOf(item)), LabelOf(item), value,
            LibSecret.CreateReplace, session.Cancellable, out error));
        SecretServiceSession.Check(error);
        return created.IsInvalid ? throw SecretServiceSession.Refused("store the item") : true;
    }, cancellationToken);

    public Task<bool> RemoveAsync(string item, CancellationToken cancellationToken) => SecretServiceSession.RunAsync(environment, session =>
    {
        var paths = Find(session, item);
        if (paths.Count == 0)
        {
            session.OpenCollection();
        }
        foreach (var path in paths)
        {
            var removed = LibSecret.DeleteItem(Load(session, path), session.Cancellable, out var error);
            SecretServiceSession.Check(error);
            if (!removed)
            {
                throw SecretServiceSession.Refused("remove the item");
            }
        }
        return paths.Count > 0;
    }, cancellationToken);

    public Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken) =>
        SecretServiceSession.RunAsync<IReadOnlyList<string>>(environment, session =>
        {
            session.OpenCollection();
            return [.. Find(session, null).Select(path => NameOf(session, path)).OfType<string>().Distinct()];
        }, cancellationToken);

    /// <summary>Returns the name of a found item; null if another process has removed it since.</summary>
    private static string? NameOf(SecretServiceSession session, string path)
    {
        try
        {
            using var found = Load(session, path);
            using var attributes = LibSecret.GetAttributes(found);
            return Marshal.PtrToStringUTF8(LibSecret.Lookup(attributes, "item"));
        }
        catch (GErrorException e) when (e.IsGone)
        {
            return null;
        }
    }

    /// <summary>Returns the D-Bus paths of the items with this name, or of all our items if the name is null.</summary>
    /// <exception cref="Errors.McpAuthException">VaultLocked: an item is locked.</exception>
    private List<string> Find(SecretServiceSession session, string? item)
    {
        LibSecret.Search(session.Service, 0, session.Keep(AttributesOf(item)), session.Cancellable, out var unlocked, out var locked, out var error);
        var paths = (Unlocked: LibSecret.TakeTexts(unlocked), Locked: LibSecret.TakeTexts(locked));
        SecretServiceSession.Check(error);
        return paths.Locked.Count > 0 ? throw SecretServiceSession.Locked() : paths.Unlocked;
    }

    private static GObject Load(SecretServiceSession session, string path)
    {
        var item = session.Keep(LibSecret.LoadItem(session.Service, path, 0, session.Cancellable, out var error));
        SecretServiceSession.Check(error);
        return item;
    }

    private GHashTable AttributesOf(string? item) => item is null
        ? LibSecret.NewAttributes(("xdg:schema", Schema), ("owner", environment.Owner))
        : LibSecret.NewAttributes(("xdg:schema", Schema), ("owner", environment.Owner), ("item", item));

    /// <summary>The label that people see in their keyring manager.</summary>
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
