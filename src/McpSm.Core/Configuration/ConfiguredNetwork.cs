using System.Net;
using System.Security.Cryptography.X509Certificates;
using McpSm.Core.Errors;
using McpSm.Core.Network;

namespace McpSm.Core.Configuration;

/// <summary>The network of this machine, with the proxy and the authorities that the user has set for Mcpsm.</summary>
internal sealed class ConfiguredNetwork(AppEnvironment environment) : NetworkAccess
{
    /// <exception cref="McpAuthException">InvalidValue: the proxy of the settings is not the URL of one. ConfigurationCorrupt.</exception>
    public override IWebProxy Proxy
    {
        get
        {
            var proxy = environment.Find(UserSetting.Proxy);
            var noProxy = environment.Find(UserSetting.NoProxy);
            var isStored = proxy is { Source: SettingValue.File or SettingValue.CommandLine };
            if (!isStored && noProxy is not { Source: SettingValue.File or SettingValue.CommandLine })
            {
                // .NET reads the variables and the settings of the system.
                return base.Proxy;
            }
            return new UserProxy(isStored ? ProxyAddress.Parse(proxy!.Text) : null, base.Proxy, new NoProxyList(noProxy?.Text));
        }
    }

    /// <exception cref="McpAuthException">ConfigurationUnavailable, InvalidValue: the file cannot be used. ConfigurationCorrupt.</exception>
    public override X509Certificate2Collection? LoadAuthorities() =>
        environment.Find(UserSetting.CaFile) is { } file ? AuthorityFile.Read(file.Text) : null;
}
