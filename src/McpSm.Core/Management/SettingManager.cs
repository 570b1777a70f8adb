using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Network;
using McpSm.Core.Vaults.EncryptedFile;

namespace McpSm.Core.Management;

/// <summary>Shows and changes the settings that the user changes by name.</summary>
internal sealed class SettingManager(AppEnvironment environment)
{
    /// <summary>Finds a setting.</summary>
    /// <exception cref="McpAuthException">InvalidValue. The message does not repeat the name.</exception>
    public static UserSetting Require(string name) => UserSetting.All.FirstOrDefault(setting => setting.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? throw new McpAuthException(ErrorReason.InvalidValue, "There is no setting with that name.",
            $"The settings are {string.Join(", ", UserSetting.All.Select(setting => setting.Name))}.");

    /// <summary>Returns the value in use, for display: without the user name and password that a variable may have in the URL of a proxy.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public SettingValue? Find(UserSetting setting) =>
        environment.Find(setting) is { } value ? setting == UserSetting.Proxy ? value with { Text = HideUser(value.Text) } : value : null;

    /// <summary>Checks a value and stores it.</summary>
    /// <returns>The name of the variable that wins over the stored value; null if none is set.</returns>
    /// <exception cref="McpAuthException">InvalidValue, VaultCorrupt, ConfigurationCorrupt.</exception>
    public async Task<string?> SetAsync(UserSetting setting, string value, CancellationToken cancellationToken)
    {
        await new Settings(environment).SetAsync(setting, Check(setting, value), cancellationToken).ConfigureAwait(false);
        return environment.Find(setting) is { Source: not (SettingValue.File or SettingValue.CommandLine) and var variable } ? variable : null;
    }

    /// <summary>Removes a stored value.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public Task UnsetAsync(UserSetting setting, CancellationToken cancellationToken) => new Settings(environment).SetAsync(setting, null, cancellationToken);

    /// <summary>Sets a value for this process alone.</summary>
    /// <exception cref="McpAuthException">InvalidValue, VaultCorrupt.</exception>
    public void Override(UserSetting setting, string value) => environment.Override(setting, Check(setting, value));

    /// <returns>The value to store: a full path, or a URL with its scheme.</returns>
    private string Check(UserSetting setting, string value)
    {
        if (string.IsNullOrWhiteSpace(value) || value.Any(char.IsControl))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"The value of {setting.Name} is empty, or contains control characters.");
        }
        if (setting == UserSetting.Proxy)
        {
            return ProxyAddress.Parse(value).GetLeftPart(UriPartial.Authority);
        }
        if (setting == UserSetting.CaFile)
        {
            var file = Path.GetFullPath(value);
            AuthorityFile.RequireSafe(file);
            AuthorityFile.Read(file);
            return file;
        }
        if (setting == UserSetting.VaultKeyFile)
        {
            var file = Path.GetFullPath(value);
            new EncryptedFileVault(environment).RequireKeyFile(file);
            return file;
        }
        return value.Trim();
    }

    private static string HideUser(string proxy)
    {
        var text = proxy.Contains("://", StringComparison.Ordinal) ? proxy : "http://" + proxy;
        return Uri.TryCreate(text, UriKind.Absolute, out var url) ? url.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped) : "(not a URL)";
    }
}
