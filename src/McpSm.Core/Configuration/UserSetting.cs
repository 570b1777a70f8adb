namespace McpSm.Core.Configuration;

/// <summary>
/// A setting that the user changes by its name. MCP clients start Mcpsm without most environment variables, so what a variable says can be stored too.
/// </summary>
/// <param name="Name">The name for the user.</param>
/// <param name="Member">The member of <c>settings.json</c>.</param>
/// <param name="Description">What the setting does, for help.</param>
/// <param name="Variables">The environment variables that win over the stored value, the first that is set.</param>
internal sealed record UserSetting(string Name, string Member, string Description, params IReadOnlyList<string> Variables)
{
    public static readonly UserSetting VaultKeyFile = new("vault-key-file", "vaultKeyFile",
        "File with the key of the encrypted file, instead of credentials.key", "MCPSM_VAULT_KEY_FILE");

    public static readonly UserSetting Proxy = new("proxy", "proxy", "URL of the proxy for requests to other machines",
        "https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY");

    public static readonly UserSetting NoProxy = new("no-proxy", "noProxy", "Hosts to reach without the proxy, separated by commas", "no_proxy", "NO_PROXY");

    public static readonly UserSetting CaFile = new("ca-file", "caFile", "PEM file of authorities to trust in addition to those of the system",
        "MCPSM_CA_FILE", "NODE_EXTRA_CA_CERTS");

    public static readonly IReadOnlyList<UserSetting> All = [VaultKeyFile, Proxy, NoProxy, CaFile];
}
