using McpSm.Core.Configuration;
using McpSm.Core.Http;
using Microsoft.Identity.Client;

namespace McpSm.Core.Entra;

/// <summary>The HTTP of the library: ours.</summary>
internal sealed class MsalHttpClientFactory(HttpClient client) : IMsalHttpClientFactory
{
    // Where clouds answer for the machine itself, in plain http since it is the machine's own link.
    private const string MachineMetadata = "http://169.254.169.254";

    private static readonly string[] Variables = ["IDENTITY_ENDPOINT", "MSI_ENDPOINT", "IMDS_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST"];

    public HttpClient GetHttpClient() => client;

    /// <summary>
    /// For managed identities. They answer in the very places that no server may lead us to: here they were named by
    /// nobody on the network, but by Azure and this machine's environment, and no other is connected to.
    /// </summary>
    public static HttpClient OfMachine(AppEnvironment environment, Func<HttpMessageHandler>? transport)
    {
        var places = Variables.Select(environment.Variable).Prepend(MachineMetadata).OfType<string>()
            .Select(v => UrlPolicy.TryParse(v, out var uri) ? uri : null).OfType<Uri>();
        return new HttpClient(transport?.Invoke() ?? OfMachine(new UrlPolicy(places) { Network = environment.Network }))
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
