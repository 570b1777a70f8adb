using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Interruption;
using McpSm.Core.Network;

namespace McpSm.Core.Configuration;

/// <summary>The configuration folder, the environment variables and the clock.</summary>
public sealed class AppEnvironment
{
    private readonly Func<string, string?> _environment;
    private readonly Dictionary<UserSetting, string> _options = [];

    /// <summary>Creates the environment.</summary>
    /// <param name="environment">Returns an environment variable; null to read those of the process.</param>
    /// <param name="time">The clock; null for the system clock.</param>
    public AppEnvironment(Func<string, string?>? environment = null, TimeProvider? time = null)
    {
#pragma warning disable RS0030 // The variables of the process and the clock of the system get in here.
        _environment = environment ?? Environment.GetEnvironmentVariable;
        RuntimeFolders = environment is null ? "/run/user" : null;
        Time = time ?? TimeProvider.System;
#pragma warning restore RS0030
        Exchanges = new TokenExchangeTracker(Time);
        Network = new ConfiguredNetwork(this);
        var defaultFolder = Path.Combine(UserFolder(), ".mcp-manager");
        var configured = Variable("MCP_MANAGER_CONFIG_DIR") ?? Variable("MCPSM_CONFIG_DIR");
        Folder = Full(configured ?? defaultFolder);
        IsFolderNamed = configured is not null;
        // The location of older versions of the npm tool, and the current location.
        PlaintextTokenFiles = [PathOf("oauth-tokens.json"), Path.Combine(UserFolder(), ".mcpsm", "oauth-tokens.json")];
        var comparison = OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        Owner = Folder.Equals(Full(defaultFolder), comparison) ? "default" : Folder;
    }

    public TimeProvider Time { get; }

    /// <summary>Renders remedies as the commands of the running program; by default in words.</summary>
    internal RemedyFormatter Remedies { get; init; } = RemedyFormatter.Plain;

    /// <summary>The network of this machine. Tests replace it.</summary>
    internal NetworkAccess Network { get; init; }

    /// <summary>The folder in which each user who is logged in has a runtime folder, by the number of the user (systemd, pam_systemd).</summary>
    /// <remarks>Null if the variables are not those of this process: the folder would be of another environment.</remarks>
    internal string? RuntimeFolders { get; init; }

    /// <summary>The token exchanges that must not be interrupted. Code that ends the process checks them first.</summary>
    internal TokenExchangeTracker Exchanges { get; }

    /// <summary><c>~/.mcp-manager</c>, or the folder in MCP_MANAGER_CONFIG_DIR or MCPSM_CONFIG_DIR.</summary>
    public string Folder { get; }

    /// <summary>Whether an environment variable names the folder. The user then chose it, and its owner does not matter.</summary>
    public bool IsFolderNamed { get; }

    /// <summary>
    /// Identifies the items of this folder in a vault that all folders of a user share: <c>default</c>, or the path of the folder.
    /// </summary>
    public string Owner { get; }

    /// <summary>The files that contain the npm tool's tokens.</summary>
    public IReadOnlyList<string> PlaintextTokenFiles { get; }

    public string PathOf(string file) => Path.Combine(Folder, file);

    /// <summary>Returns the value of a variable; null if it is unset or empty.</summary>
    public string? Variable(string name) => _environment(name) is { Length: > 0 } value ? value : null;

    /// <summary>Returns the names of the variables that are set.</summary>
#pragma warning disable RS0030 // A program may give us its own variables. Only the process can list them.
    internal IEnumerable<string> VariableNames() => Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(name => Variable(name) is not null);
#pragma warning restore RS0030

    /// <summary>Returns the value of a setting: that of the command line, else of its variables, else of <c>settings.json</c>; null if it has none.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    internal SettingValue? Find(UserSetting setting)
    {
        if (_options.TryGetValue(setting, out var option))
        {
            return new SettingValue(option, SettingValue.CommandLine);
        }
        foreach (var name in setting.Variables)
        {
            if (Variable(name) is { } value)
            {
                return new SettingValue(value, name);
            }
        }
        return new Settings(this).Find(setting) is { } stored ? new SettingValue(stored, SettingValue.File) : null;
    }

    /// <summary>Sets a setting for this process alone.</summary>
    internal void Override(UserSetting setting, string value) => _options[setting] = value;

    /// <summary>
    /// Whether a person can answer questions. MCPSM_INTERACTIVE decides if it is set; otherwise a CI job has no person.
    /// </summary>
    /// <param name="refused">The user asked for no questions with an option, which wins over the variables.</param>
    /// <param name="hostForbids">The host forbids questions, as pwsh does with <c>-NonInteractive</c>.</param>
    public bool CanAnswer(bool refused = false, bool hostForbids = false) => !refused && Variable("MCPSM_INTERACTIVE") switch
    {
        "1" or "true" => true,
        "0" or "false" => false,
        _ => !hostForbids && Variable("CI") is null or "0" or "false",
    };

    /// <summary>
    /// Returns the value of a variable that the user named as the source of a secret, without a final line break; null if it is unset or empty. Child
    /// processes do not inherit the variable.
    /// </summary>
    public string? SecretVariable(string name)
    {
        SecretEnvironmentVariables.Add(name);
        return Variable(name) is { } value && SecretText.WithoutLineEnd(value) is { Length: > 0 } secret ? secret : null;
    }

    /// <summary>Acquires a named lock of the folder, which protects the read and write of one file or one server.</summary>
    /// <param name="name">The name of the lock.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <param name="heldTooLong">Returns the error for a timeout; null, or a null result, for the default error.</param>
    internal Task<FileLock> LockAsync(string name, CancellationToken cancellationToken, Func<McpAuthException?>? heldTooLong = null) =>
        FileLock.AcquireAsync(LockPath(name), Time, cancellationToken, heldTooLong);

    /// <summary>Acquires the lock if it is free; returns null otherwise.</summary>
    internal FileLock? TryLock(string name) => FileLock.TryAcquire(LockPath(name));

    private string LockPath(string name) => Path.Combine(Folder, "locks", name + ".lock");

    /// <summary>Normalises a folder path, with or without a trailing separator, because shared vaults identify items by it.</summary>
    private static string Full(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    /// <summary>The folder of the user.</summary>
    internal string HomeFolder => UserFolder();

    private string UserFolder() => Variable("HOME") ?? Variable("USERPROFILE")
        ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
}
