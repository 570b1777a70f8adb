using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Vaults.EncryptedFile;
using McpSm.Core.Vaults.Linux;
using McpSm.Core.Vaults.MacOS;
using McpSm.Core.Vaults.Windows;

namespace McpSm.Core.Vaults;

/// <summary>
/// Which vault is in use: the one asked for, MCPSM_VAULT, the setting, else the first that works here, which is then
/// remembered. A remembered vault that cannot be opened is an error, never a silent second home.
/// </summary>
public sealed class VaultSelector
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
        _sources = [.. sources, new OsVaultProvider(SystemStore(environment), text => _warn(environment.Remedies.Format(text))), new EncryptedFileSource(environment, File)];
    }

    /// <summary>The encrypted file itself.</summary>
    internal EncryptedFileVault File { get; }

    /// <summary>The vault of that name, with what waits for it.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable: no such vault on this system.</exception>
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
        new(ErrorReason.VaultUnavailable, $"There is no vault '{UntrustedText.Sanitize(name)}' on this system.", new ListVaultsStep())
        {
            Vault = UntrustedText.Sanitize(name),
            IsVaultGone = true,
        };

    /// <summary>The vault that is set or was chosen before; null where none was.</summary>
    public VaultWithFallback? InUse => NameInUse is { } name ? Find(name) : null;

    /// <summary>Its name, whether or not this process can open it.</summary>
    public string? NameInUse => _environment.Variable(Variable) ?? _settings.Vault;

    /// <summary>The vault for what is kept next.</summary>
    /// <param name="asked">The vault that the user named for this command, or where the server's credential is.</param>
    /// <exception cref="McpAuthException">ConfigurationUnavailable: the configuration folder is another user's. And what finding a vault may throw.</exception>
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
    /// The first vault that works here, and what the user should know if credentials are kept in it from now on. Nothing is
    /// remembered or said.
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
        throw new McpAuthException(ErrorReason.VaultUnavailable, "No vault works on this system.");
    }

    public static bool IsOfSecretManagement(string? name) => name?.StartsWith(SecretManagementPrefix, StringComparison.Ordinal) == true;

    /// <summary>All vaults there are, the one in use first.</summary>
    public async Task<IReadOnlyList<McpVault>> ListAsync(CancellationToken cancellationToken)
    {
        var (used, why) = _environment.Variable(Variable) is { } named ? (named, $"{Variable} names it")
            : _settings.Vault is { } set ? (set, "it is set in settings.json") : (null, null);
        var all = new List<IVault>();
        foreach (var source in _sources)
        {
            all.AddRange(await source.ListAsync(cancellationToken).ConfigureAwait(false));
        }
        var told = all.Select(v => new McpVault(v.Name, v.Name == used, v.Name == used ? why : null, v.Protection)).ToList();
        if (used is not null && all.All(v => v.Name != used))
        {
            told.Add(Missing(used, why!));
        }
        return [.. told.OrderByDescending(v => v.InUse)];
    }

    /// <summary>Makes a vault the one in use.</summary>
    public async Task UseAsync(string name, CancellationToken cancellationToken)
    {
        RequireOwnFolder();
        await VaultSelfTest.RunAsync(Find(name), cancellationToken).ConfigureAwait(false);
        await _settings.SetVaultAsync(name, cancellationToken).ConfigureAwait(false);
        if (_settings.MovingFrom.Where(place => place != name).Select(UntrustedText.Sanitize).ToList() is { Count: > 0 } left)
        {
            _warn(_environment.Remedies.Format($"Something may be left in {string.Join(", ", left)}. To take it along or clear it up: {new UseVaultStep(name, Move: true)}"));
        }
        WarnOfVariable(name);
    }

    /// <summary>Warns if the environment variable overrides the vault that was just selected.</summary>
    public void WarnOfVariable(string chosen)
    {
        if (_environment.Variable(Variable) is { } named && named != chosen)
        {
            _warn($"{Variable} names '{UntrustedText.Sanitize(named)}', and wins over this setting for as long.");
        }
    }

    /// <summary>Fails if no secret should be written on the word of this configuration folder, whichever the vault.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable.</exception>
    internal void RequireOwnFolder() => ConfigurationFolder.Require(_environment, _warn);

    /// <summary>Shows information about a vault.</summary>
    internal void Notify(string text) => _notice(text);

    /// <summary>Shows a warning about a vault: something stayed there, or could not be kept.</summary>
    internal void Warn(string text) => _warn(text);

    /// <summary>Shows a failure as a warning, with its remedy.</summary>
    internal void Warn(McpAuthException failure) => _warn(_environment.Remedies.Explain(failure));

    /// <summary>The vault that is set to be used and is not among those of this system.</summary>
    private McpVault Missing(string name, string why) =>
        // Without PowerShell, the vaults of SecretManagement are not known.
        IsOfSecretManagement(name) && _sources.All(s => s.Find(name) is null)
            ? new McpVault(name, true, why, "Kept by a vault of SecretManagement, which PowerShell opens.")
            : new McpVault(name, true, $"{why}, but there is no such vault", "There is no such vault on this system: nothing can be kept there.");

    private static IVault? SystemStore(AppEnvironment environment) => OperatingSystem.IsLinux() ? new SecretServiceVault(environment)
        : OperatingSystem.IsWindows() ? new CredentialManagerVault(environment)
        : OperatingSystem.IsMacOS() ? new KeychainVault(environment) : null;

    private sealed class EncryptedFileSource(AppEnvironment environment, EncryptedFileVault file) : IVaultProvider
    {
        public IVault? Find(string name) => name == file.Name ? file : null;

        public Task<IReadOnlyList<IVault>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<IVault>>([file]);

        public Task<(IVault Vault, string? Notice)?> GetDefaultAsync(CancellationToken cancellationToken) => Task.FromResult<(IVault, string?)?>(
            (file, $"Credentials are kept in {environment.PathOf("credentials.enc")}. {file.Protection}"));
    }
}
