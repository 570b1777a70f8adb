using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Vaults;

/// <summary>
/// Which vault is in use: the one asked for, MCPSM_VAULT, the setting, else the first that works here, which is then
/// remembered. A remembered vault that cannot be opened is an error, never a silent second home.
/// </summary>
public sealed class VaultSelector(Home home, IEnumerable<IVaultSource> sources, Action<string> notice)
{
    /// <summary>What the names of SecretManagement's vaults begin with, which PowerShell alone can open.</summary>
    public const string SecretManagementPrefix = "secretmanagement:";

    /// <summary>The variable that names the vault in use.</summary>
    public const string Variable = "MCPSM_VAULT";

    /// <summary>The vaults that Core knows on this system, whether or not they work here.</summary>
    public static IReadOnlyList<string> NamesHere =>
    [
        .. OperatingSystem.IsLinux() ? [SecretServiceVault.VaultName] : OperatingSystem.IsWindows() ? [CredentialManagerVault.VaultName]
            : OperatingSystem.IsMacOS() ? new[] { KeychainVault.VaultName } : [],
        EncryptedFileVault.VaultName,
    ];

    private readonly Settings _settings = new(home);
    private readonly List<IVaultSource> _sources = [.. sources, new SystemStoreSource(SystemStore(home), notice), new EncryptedFileSource(home, notice)];
    private readonly Dictionary<string, IVault> _opened = new(StringComparer.Ordinal);

    /// <summary>The vault of that name.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable: no such vault on this system.</exception>
    public IVault Find(string name)
    {
        lock (_opened)
        {
            if (!_opened.TryGetValue(name, out var vault))
            {
                vault = _sources.Select(s => s.Find(name)).FirstOrDefault(v => v is not null)
                    ?? throw NotFound(name);
                _opened[name] = vault;
            }
            return vault;
        }
    }

    public static McpAuthException NotFound(string name) =>
        new(ErrorReason.VaultUnavailable, $"There is no vault '{ForeignText.Clean(name)}' on this system.", "mcpsm vault list");

    /// <summary>The vault that is set or was chosen before; null where none was.</summary>
    public IVault? InUse => NameInUse is { } name ? Find(name) : null;

    /// <summary>Its name, whether or not this process can open it.</summary>
    public string? NameInUse => home.Variable(Variable) ?? _settings.Vault;

    /// <summary>The vault for what is kept next.</summary>
    /// <param name="asked">The vault that the user named for this command, or where the server's credential is.</param>
    public async Task<IVault> ChooseAsync(string? asked, CancellationToken cancellationToken)
    {
        if ((asked ?? NameInUse) is { } chosen)
        {
            return Find(chosen);
        }
        var vault = await OfferAsync(cancellationToken).ConfigureAwait(false);
        await _settings.SetVaultAsync(vault.Name, cancellationToken).ConfigureAwait(false);
        return vault;
    }

    /// <summary>The first vault that works here. Nothing is remembered.</summary>
    public async Task<IVault> OfferAsync(CancellationToken cancellationToken)
    {
        foreach (var source in _sources)
        {
            if (await source.OfferAsync(cancellationToken).ConfigureAwait(false) is { } offer)
            {
                if (offer.Notice is not null)
                {
                    notice(offer.Notice);
                }
                return Find(offer.Vault.Name);
            }
        }
        throw new McpAuthException(ErrorReason.VaultUnavailable, "No vault works on this system.");
    }

    public static bool IsOfSecretManagement(string? name) => name?.StartsWith(SecretManagementPrefix, StringComparison.Ordinal) == true;

    /// <summary>All vaults there are, the one in use first.</summary>
    public async Task<IReadOnlyList<McpVault>> ListAsync(CancellationToken cancellationToken)
    {
        var (used, why) = home.Variable(Variable) is { } named ? (named, $"{Variable} names it")
            : _settings.Vault is { } set ? (set, "it is set in settings.json") : (null, null);
        var all = new List<IVault>();
        foreach (var source in _sources)
        {
            all.AddRange(await source.ListAsync(cancellationToken).ConfigureAwait(false));
        }
        var told = all.Select(v => new McpVault(v.Name, v.Name == used, v.Name == used ? why : null, v.Protection)).ToList();
        if (used is not null && all.All(v => v.Name != used))
        {
            told.Add(new McpVault(used, true, why, Elsewhere(used)));
        }
        return [.. told.OrderByDescending(v => v.InUse)];
    }

    /// <summary>Makes a vault the one in use.</summary>
    public async Task UseAsync(string name, CancellationToken cancellationToken)
    {
        await VaultCheck.RunAsync(Find(name), cancellationToken).ConfigureAwait(false);
        await _settings.SetVaultAsync(name, cancellationToken).ConfigureAwait(false);
        if (_settings.MovingFrom.Count > 0)
        {
            notice($"An earlier move was cut off. To finish it: {NextCommand.For("vault use", name, "--move", "<vault>")}");
        }
        TellOfVariable(name);
    }

    /// <summary>Says so where the environment names another vault than the one that was just chosen.</summary>
    public void TellOfVariable(string chosen)
    {
        if (home.Variable(Variable) is { } named && named != chosen)
        {
            notice($"{Variable} names '{ForeignText.Clean(named)}', and wins over this setting for as long.");
        }
    }

    /// <summary>Says something of a vault that the user should know.</summary>
    internal void Tell(string text) => notice(text);

    private string Elsewhere(string name)
    {
        try
        {
            return Find(name).Protection;
        }
        catch (McpAuthException)
        {
            return IsOfSecretManagement(name)
                ? "Kept by a vault of SecretManagement, which PowerShell opens." : "There is no such vault on this system.";
        }
    }

    private static IVault? SystemStore(Home home) => OperatingSystem.IsLinux() ? new SecretServiceVault(home)
        : OperatingSystem.IsWindows() ? new CredentialManagerVault(home)
        : OperatingSystem.IsMacOS() ? new KeychainVault(home) : null;

    private sealed class EncryptedFileSource(Home home, Action<string> notice) : IVaultSource
    {
        private readonly EncryptedFileVault _file = new(home, notice);

        public IVault? Find(string name) => name == _file.Name ? _file : null;

        public Task<IReadOnlyList<IVault>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<IVault>>([_file]);

        public Task<(IVault Vault, string? Notice)?> OfferAsync(CancellationToken cancellationToken) => Task.FromResult<(IVault, string?)?>(
            (_file, $"Credentials are kept in {home.PathOf("credentials.enc")}. {_file.Protection}"));
    }
}
