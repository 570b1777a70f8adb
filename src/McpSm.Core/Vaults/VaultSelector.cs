using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Vaults.EncryptedFile;
using McpSm.Core.Vaults.Linux;
using McpSm.Core.Vaults.MacOS;
using McpSm.Core.Vaults.Windows;

namespace McpSm.Core.Vaults;

/// <summary>
/// Selects the vault: the one that the user named, else MCPSM_VAULT, else the setting, else the first vault that works. The last is remembered. A
/// remembered vault that cannot be opened is an error, so that credentials are never split between two vaults unnoticed.
/// </summary>
internal sealed class VaultSelector
{
    /// <summary>The prefix of the names of SecretManagement vaults, which only PowerShell can open.</summary>
    public const string SecretManagementPrefix = "secretmanagement:";

    /// <summary>The environment variable that names the vault in use.</summary>
    public const string Variable = "MCPSM_VAULT";

    /// <summary>The names of the vaults that Core supports on this operating system, whether or not they work.</summary>
    public static IReadOnlyList<string> NamesHere =>
    [
        .. OperatingSystem.IsLinux() ? [SecretServiceVault.VaultName] : OperatingSystem.IsWindows() ? [CredentialManagerVault.VaultName]
            : OperatingSystem.IsMacOS() ? new[] { KeychainVault.VaultName } : [],
        EncryptedFileVault.VaultName,
    ];

    private readonly AppEnvironment _environment;
    private readonly Action<string> _notice;
    private readonly Action<string> _warn;
    private readonly Settings _settings;
    private readonly List<IVaultProvider> _sources;
    private readonly Dictionary<string, VaultWithFallback> _opened = new(StringComparer.Ordinal);

    /// <param name="environment">The folders and variables of this process.</param>
    /// <param name="sources">The vaults that a host adds, such as those of SecretManagement.</param>
    /// <param name="notice">Shows information: which vault was selected.</param>
    /// <param name="warn">Shows warnings; <paramref name="notice"/> shows them if it is null.</param>
    public VaultSelector(AppEnvironment environment, IEnumerable<IVaultProvider> sources, Action<string> notice, Action<string>? warn = null)
    {
        (_environment, _notice, _warn, _settings) = (environment, notice, warn ?? notice, new Settings(environment));
        File = new EncryptedFileVault(environment, _warn);
        var systemStore = new OsVaultProvider(SystemStore(environment), text => _warn(environment.Remedies.Format(text)));
        _sources = [.. sources, systemStore, new EncryptedFileSource(environment, File)];
    }

    /// <summary>The encrypted file itself.</summary>
    internal EncryptedFileVault File { get; }

    /// <summary>Returns the vault with this name, together with the items that wait for it.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable: the vault does not exist on this system.</exception>
    public VaultWithFallback Find(string name)
    {
        lock (_opened)
        {
            if (!_opened.TryGetValue(name, out var vault))
            {
                var found = _sources.Select(s => s.Find(name)).FirstOrDefault(v => v is not null) ?? throw NotFound(name);
                vault = new VaultWithFallback(found, found == File ? File.PendingForThis : File.PendingForOthers);
                _opened[name] = vault;
            }
            return vault;
        }
    }

    public static McpAuthException NotFound(string name) =>
        new(ErrorReason.VaultUnavailable, $"The vault '{UntrustedText.Sanitize(name)}' does not exist on this system.", new ListVaultsStep())
        {
            Vault = UntrustedText.Sanitize(name),
            IsVaultGone = true,
        };

    /// <summary>The vault that is configured or was selected before, or null.</summary>
    public VaultWithFallback? InUse => NameInUse is { } name ? Find(name) : null;

    /// <summary>The name of the vault in use, whether or not this process can open it.</summary>
    public string? NameInUse => _environment.Variable(Variable) ?? _settings.Vault;

    /// <summary>Returns the vault for new credentials.</summary>
    /// <param name="asked">The vault that the user named for this command, or the vault that has the server's credential.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="McpAuthException">
    /// ConfigurationUnavailable: the configuration folder belongs to another user. Every error of finding a vault.
    /// </exception>
    public async Task<VaultWithFallback> ChooseAsync(string? asked, CancellationToken cancellationToken)
    {
        RequireOwnFolder();
        if ((asked ?? NameInUse) is { } chosen)
        {
            return Find(chosen);
        }
        var (vault, notice) = await OfferAsync(cancellationToken).ConfigureAwait(false);
        if (notice is not null)
        {
            _notice(notice);
        }
        await _settings.SetVaultAsync(vault.Name, cancellationToken).ConfigureAwait(false);
        return vault;
    }

    /// <summary>
    /// Returns the first vault that works, and a notice for the user if credentials will be stored in it. Does not remember the choice and does not
    /// show the notice.
    /// </summary>
    public async Task<(VaultWithFallback Vault, string? Notice)> OfferAsync(CancellationToken cancellationToken)
    {
        foreach (var source in _sources)
        {
            if (await source.GetDefaultAsync(cancellationToken).ConfigureAwait(false) is { } offer)
            {
                return (Find(offer.Vault.Name), offer.Notice);
            }
        }
        throw new McpAuthException(ErrorReason.VaultUnavailable, "Mcpsm did not find a working vault on this system.");
    }

    public static bool IsOfSecretManagement(string? name) => name?.StartsWith(SecretManagementPrefix, StringComparison.Ordinal) == true;

    /// <summary>Returns all vaults, the one in use first.</summary>
    public async Task<IReadOnlyList<McpVault>> ListAsync(CancellationToken cancellationToken)
    {
        var (used, why) = _environment.Variable(Variable) is { } named ? (named, $"{Variable} names it")
            : _settings.Vault is { } set ? (set, "it is set in settings.json") : (null, null);
        var vaults = new List<IVault>();
        foreach (var source in _sources)
        {
            vaults.AddRange(await source.ListAsync(cancellationToken).ConfigureAwait(false));
        }
        var entries = vaults.Select(v => new McpVault(v.Name, v.Name == used, v.Name == used ? why : null, v.Protection)).ToList();
        if (used is not null && vaults.All(v => v.Name != used))
        {
            entries.Add(Missing(used, why!));
        }
        return [.. entries.OrderByDescending(v => v.InUse)];
    }

    /// <summary>Tests a vault and makes it the one in use.</summary>
    public async Task UseAsync(string name, CancellationToken cancellationToken)
    {
        RequireOwnFolder();
        await VaultSelfTest.RunAsync(Find(name), cancellationToken).ConfigureAwait(false);
        await _settings.SetVaultAsync(name, cancellationToken).ConfigureAwait(false);
        if (_settings.MovingFrom.Where(place => place != name).Select(UntrustedText.Sanitize).ToList() is { Count: > 0 } vaultNames)
        {
            _warn(_environment.Remedies.Format(
                $"Credentials may still be in {string.Join(", ", vaultNames)}. To finish moving them: {new UseVaultStep(name, Move: true)}"));
        }
        WarnOfVariable(name);
    }

    /// <summary>Warns if the environment variable names another vault than the one that was just selected.</summary>
    public void WarnOfVariable(string chosen)
    {
        if (_environment.Variable(Variable) is { } named && named != chosen)
        {
            _warn($"{Variable} names the vault '{UntrustedText.Sanitize(named)}' and overrides this setting while it is set.");
        }
    }

    /// <summary>Fails if the configuration folder belongs to another user: no secret may then be written, whatever the vault.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable.</exception>
    internal void RequireOwnFolder() => ConfigurationFolder.Require(_environment, _warn);

    /// <summary>Shows information about a vault.</summary>
    internal void Notify(string text) => _notice(text);

    /// <summary>Shows a warning about a vault: something stayed there, or could not be kept.</summary>
    internal void Warn(string text) => _warn(text);

    /// <summary>Shows a failure as a warning, with its remedy.</summary>
    internal void Warn(McpAuthException failure) => _warn(_environment.Remedies.Explain(failure));

    /// <summary>Returns the entry for a configured vault that does not exist on this system.</summary>
    private McpVault Missing(string name, string why) =>
        // Only PowerShell can list the vaults of SecretManagement.
        IsOfSecretManagement(name) && _sources.All(s => s.Find(name) is null)
            ? new McpVault(name, true, why, "Stored in a vault of SecretManagement, which only PowerShell can open.")
            : new McpVault(name, true, $"{why}, but it does not exist", "The vault does not exist on this system. Credentials cannot be stored in it.");

    private static IVault? SystemStore(AppEnvironment environment) => OperatingSystem.IsLinux() ? new SecretServiceVault(environment)
        : OperatingSystem.IsWindows() ? new CredentialManagerVault(environment)
        : OperatingSystem.IsMacOS() ? new KeychainVault(environment) : null;

    private sealed class EncryptedFileSource(AppEnvironment environment, EncryptedFileVault file) : IVaultProvider
    {
        public IVault? Find(string name) => name == file.Name ? file : null;

        public Task<IReadOnlyList<IVault>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<IVault>>([file]);

        public Task<(IVault Vault, string? Notice)?> GetDefaultAsync(CancellationToken cancellationToken) => Task.FromResult<(IVault, string?)?>(
            (file, $"Credentials are stored in {environment.PathOf("credentials.enc")}. {file.Protection}"));
    }
}
