namespace McpSm.PowerShell.Cmdlets.Settings;

/// <summary>A setting of Mcpsm.</summary>
public sealed class McpSetting
{
    internal McpSetting(string name, string? value, string? source, string description) =>
        (Name, Value, Source, Description) = (name, value, source, description);

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>The value in use; null if it is not set. The user name and password of a proxy are not part of it.</summary>
    public string? Value { get; }

    /// <summary>Where the value comes from: <c>settings.json</c>, or the name of an environment variable.</summary>
    public string? Source { get; }

    /// <summary>What the setting does.</summary>
    public string Description { get; }

    public override string ToString() => Name;
}
