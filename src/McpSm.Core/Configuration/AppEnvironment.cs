using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Interruption;
using McpSm.Core.Network;

namespace McpSm.Core.Configuration;

/// <summary>The configuration folder, the environment and the clock that everything else is given.</summary>
public sealed class AppEnvironment
{
    private readonly Func<string, string?> _environment;

    /// <param name="environment">Reads an environment variable; the process's own where null.</param>
    /// <param name="time">The clock; the system's where null.</param>
    public AppEnvironment(Func<string, string?>? environment = null, TimeProvider? time = null)
    {
        _environment = environment ?? Environment.GetEnvironmentVariable;
        Time = time ?? TimeProvider.System;
        Exchanges = new TokenExchangeTracker(Time);
        var usual = Path.Combine(UserFolder(), ".mcp-manager");
        var named = Variable("MCP_MANAGER_CONFIG_DIR") ?? Variable("MCPSM_CONFIG_DIR");
        Folder = Full(named ?? usual);
        IsFolderNamed = named is not null;
        // Where older versions of the npm tool kept them, and where it keeps them now.
        PlaintextTokenFiles = [PathOf("oauth-tokens.json"), Path.Combine(UserFolder(), ".mcpsm", "oauth-tokens.json")];
        Owner = Folder.Equals(Full(usual), OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal) ? "default" : Folder;
    }

    public TimeProvider Time { get; }

    /// <summary>Renders remedies as the commands of the program that this is; in words unless that program says otherwise.</summary>
    public RemedyFormatter Remedies { get; init; } = RemedyFormatter.Plain;

    /// <summary>The machine's network, unless a test puts another in its place.</summary>
    internal NetworkAccess Network { get; init; } = NetworkAccess.OfMachine;

    /// <summary>The exchanges that should not be cut off. Whoever ends the process looks at them first.</summary>
    public TokenExchangeTracker Exchanges { get; }

    /// <summary><c>~/.mcp-manager</c>, or what MCP_MANAGER_CONFIG_DIR or MCPSM_CONFIG_DIR names.</summary>
    public string Folder { get; }

    /// <summary>Whether a variable named the folder: the user meant it, whoever owns it.</summary>
    public bool IsFolderNamed { get; }

    /// <summary>
    /// What tells this folder's items apart in a store that all folders of a user share: <c>default</c>, or the folder.
    /// </summary>
    public string Owner { get; }

    /// <summary>The files in which the npm tool keeps tokens.</summary>
    public IReadOnlyList<string> PlaintextTokenFiles { get; }

    public string PathOf(string file) => Path.Combine(Folder, file);

    /// <summary>The variable's value; null where it is unset or empty.</summary>
    public string? Variable(string name) => _environment(name) is { Length: > 0 } value ? value : null;

    /// <summary>
    /// The value of a variable that the user named as the place of a secret, without the line break that a file may have ended
    /// with; null if it is unset or empty. Programs that we start do not inherit it.
    /// </summary>
    public string? SecretVariable(string name)
    {
        SecretEnvironmentVariables.Add(name);
        return Variable(name) is { } value && SecretText.WithoutLineEnd(value) is { Length: > 0 } secret ? secret : null;
    }

    /// <summary>A lock of the folder by name: it guards the read-change-write of one file or one server.</summary>
    /// <param name="heldTooLong">What to say if its holder keeps it; null, or where it gives null, for the words of the lock.</param>
    public Task<FileLock> LockAsync(string name, CancellationToken cancellationToken, Func<McpAuthException?>? heldTooLong = null) =>
        FileLock.AcquireAsync(LockPath(name), cancellationToken, heldTooLong);

    /// <summary>The same lock where nobody has it; null where somebody does.</summary>
    public FileLock? TryLock(string name) => FileLock.TryAcquire(LockPath(name));

    private string LockPath(string name) => Path.Combine(Folder, "locks", name + ".lock");

    /// <summary>One spelling of a folder, with or without a separator at its end: what a shared store keeps is found by it.</summary>
    private static string Full(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    private string UserFolder() => Variable("HOME") ?? Variable("USERPROFILE")
        ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
}
