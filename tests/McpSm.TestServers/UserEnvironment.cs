namespace McpSm.TestServers;

/// <summary>The environment of the current user, which tests must not use.</summary>
public static class UserEnvironment
{
    /// <summary>The variables that would lead a test to the settings, the vault or the desktop of the current user.</summary>
    public static IReadOnlyList<string> Variables { get; } =
    [
        "CI", "BROWSER", "NO_COLOR", "DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR",
        "MCPSM_CONFIG_DIR", "MCP_MANAGER_CONFIG_DIR", "MCPSM_VAULT", "MCPSM_VAULT_PASSPHRASE", "MCPSM_VAULT_KEY_FILE", "MCPSM_CA_FILE", "NODE_EXTRA_CA_CERTS",
        "MCPSM_CALLBACK_PORT",
    ];
}
