using System.Text.Json;
using System.Text.Json.Serialization;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Vaults;

/// <summary>
/// <c>credentials.enc</c>: all items in one encrypted file, replaced whole on each change under a lock that holds
/// across processes. Its key comes from MCPSM_VAULT_PASSPHRASE, or from <c>credentials.key</c> beside it.
/// </summary>
public sealed class EncryptedFileVault(Home home) : IVault
{
    public const string VaultName = "file";

    private readonly string _path = home.PathOf("credentials.enc");
    private readonly VaultKeys _keys = new(home);

    public string Name => VaultName;

    public string Protection => _keys.UsesPassphrase(Header())
        ? "Encrypted with a key made of your passphrase: whoever has the file still needs the passphrase."
        : "Encrypted with the key in credentials.key, which only you can read: protects backups and copies of "
          + "credentials.enc alone, not against programs that run as you.";

    public Task<string?> GetAsync(string item, CancellationToken cancellationToken) =>
        Task.FromResult(Open().Items.GetValueOrDefault(item));

    public Task SetAsync(string item, string text, CancellationToken cancellationToken) =>
        ChangeAsync(items =>
        {
            items[item] = text;
            return true;
        }, cancellationToken);

    public Task<bool> RemoveAsync(string item, CancellationToken cancellationToken) =>
        ChangeAsync(items => items.Remove(item), cancellationToken);

    public Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<string>>([.. Open().Items.Keys]);

    private async Task<bool> ChangeAsync(Func<Dictionary<string, string>, bool> change, CancellationToken cancellationToken)
    {
        using var held = await home.LockAsync("vault", cancellationToken).ConfigureAwait(false);
        var (header, items) = Open();
        if (!change(items))
        {
            return false;
        }
        var key = header is null ? _keys.Create() : _keys.Find(header.Value);
        var content = JsonSerializer.SerializeToUtf8Bytes(items, VaultJson.Default.DictionaryStringString);
        WholeFile.Replace(_path, EncryptedFileFormat.Seal(key, content));
        return true;
    }

    private (KeySource? Header, Dictionary<string, string> Items) Open()
    {
        if (WholeFile.Read(_path) is not { } file)
        {
            return (null, new(StringComparer.Ordinal));
        }
        var header = EncryptedFileFormat.ReadHeader(file);
        var content = EncryptedFileFormat.Open(_keys.Find(header), file);
        try
        {
            return (header, JsonSerializer.Deserialize(content, VaultJson.Default.DictionaryStringString)
                ?? throw new JsonException());
        }
        catch (JsonException)
        {
            // Authenticated, so we wrote it: a later build with the same version number is the only way here.
            throw EncryptedFileFormat.Damaged("its content is not what this version writes");
        }
    }

    private KeySource? Header()
    {
        try
        {
            return WholeFile.Read(_path) is { } file ? EncryptedFileFormat.ReadHeader(file) : null;
        }
        catch (McpAuthException)
        {
            // Only a sentence about protection is wanted here; using the vault reports what is wrong with it.
            return null;
        }
    }
}

[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class VaultJson : JsonSerializerContext;
