using McpSm.Core.Configuration;
using McpSm.Core.Http;
using Microsoft.Identity.Client;

namespace McpSm.Core.Entra;

/// <summary>Makes MSAL use our HTTP client.</summary>
internal sealed class MsalHttpClientFactory(HttpClient client) : IMsalHttpClientFactory
{
    // The address at which clouds answer their machines. Plain http is safe, because the link is local to the machine.
    private const string MachineMetadata = "http://169.254.169.254";

    private static readonly string[] Variables = ["IDENTITY_ENDPOINT", "MSI_ENDPOINT", "IMDS_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST"];

    public HttpClient GetHttpClient() => client;

    /// <summary>
    /// Creates the client for managed identities. Their endpoints are at addresses that no server may send us to. Here, Azure and the environment
    /// of this machine define the addresses, and the client connects to no others.
    /// </summary>
    public static HttpClient OfMachine(AppEnvironment environment, Func<HttpMessageHandler>? transport)
    {
        var endpoints = Variables.Select(environment.Variable).Prepend(MachineMetadata).OfType<string>()
            .Select(v => UrlPolicy.TryParse(v, out var uri) ? uri : null).OfType<Uri>();
        return new HttpClient(transport?.Invoke() ?? OfMachine(new UrlPolicy(endpoints) { Network = environment.Network }))
        {
            Timeout = RestrictedHttpClient.TimeLimit,
            MaxResponseContentBufferSize = RestrictedHttpClient.SizeLimit,
        };
    }

    private static SocketsHttpHandler OfMachine(UrlPolicy policy)
    {
        var sockets = RestrictedHttpClient.NewSocketsHandler(policy);
        sockets.UseProxy = false;
        return sockets;
    }
}
