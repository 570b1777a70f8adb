using System.CommandLine;
using McpSm.Core.Clients;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Commands;

/// <summary>The options that <c>add</c> and <c>server update</c> share.</summary>
internal sealed class ServerOptions
{
    private readonly Option<string?> _type;
    private readonly Option<bool> _oauth = new("--oauth") { Description = "Sign-in is on" };
    private readonly Option<bool> _noOAuth = new("--no-oauth") { Description = "Sign-in is off" };
    private readonly Option<string?> _clientId = new("--client-id") { Description = "The id of a client you registered" };
    private readonly Option<string?> _secret = new("--client-secret-from-env") { Description = "The variable that holds the client's secret", HelpName = "NAME" };
    private readonly Option<string[]> _scopes = new("--scope") { Description = "Scopes to ask for instead of the server's", AllowMultipleArgumentsPerToken = true };
    private readonly Option<string?> _issuer = new("--issuer") { Description = "The one issuer to use" };
    private readonly Option<string[]> _headers = new("--header") { Description = "A header to send along, kept in the vault; an empty value removes it", HelpName = "name=value" };
    private readonly Option<string?> _token = new("--token") { Description = "A bearer token; - reads standard input" };
    private readonly Option<string?> _metadata = new("--client-metadata-url") { Description = "Your client metadata document" };
    private readonly Option<bool> _legacy = new("--allow-legacy-endpoints") { Description = "Allow the unverifiable default endpoints of 2025-03-26" };

    public ServerOptions(bool typeRequired)
    {
        _type = new Option<string?>("--type", "-t") { Description = "http or sse", Required = typeRequired };
        _type.AcceptOnlyFromAmong("http", "sse");
    }

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _type, _oauth, _noOAuth, _clientId, _secret, _scopes, _issuer, _headers, _token, _metadata, _legacy })
        {
            command.Add(option);
        }
    }

    public async Task<ServerInput> ReadAsync(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(_oauth) && parsed.GetValue(_noOAuth))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "--oauth and --no-oauth exclude each other.");
        }
        string? secret = null;
        if (parsed.GetValue(_secret) is { } variable)
        {
            secret = context.Home.Variable(variable)
                ?? throw new McpAuthException(ErrorReason.InvalidValue, "The variable that --client-secret-from-env names is not set.");
        }
        if (parsed.GetValue(_issuer) is { Length: > 0 } issuer)
        {
            new UrlPolicy(ServerUrl.Parse(issuer)).Check(issuer, "The issuer");
        }
        var metadata = parsed.GetValue(_metadata);
        var scopes = parsed.GetResult(_scopes) is null ? null
            : parsed.GetValue(_scopes)!.SelectMany(s => Scopes.Split(s.Replace(',', ' '))).Distinct().ToList();
        var token = parsed.GetValue(_token) is { } given
            ? await AuthCommands.ReadTokenAsync(given, context, cancellationToken).ConfigureAwait(false) : null;
        return new ServerInput(parsed.GetValue(_type), parsed.GetValue(_oauth) ? OAuthMode.On : parsed.GetValue(_noOAuth) ? OAuthMode.Off : null,
            parsed.GetValue(_clientId), secret, scopes, parsed.GetValue(_issuer), ReadHeaders(parsed.GetValue(_headers)), token,
            metadata is { Length: > 0 } ? ClientRegistry.CheckMetadataUrl(metadata) : metadata,
            parsed.GetValue(_legacy) ? true : null);
    }

    private static Dictionary<string, string>? ReadHeaders(string[]? given)
    {
        if (given is not { Length: > 0 })
        {
            return null;
        }
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var header in given)
        {
            var at = header.IndexOf('=');
            using var probe = new HttpRequestMessage();
            if (at <= 0 || header[(at + 1)..].Any(c => c is < ' ' or > '~')
                || !probe.Headers.TryAddWithoutValidation(header[..at].Trim(), "x"))
            {
                throw new McpAuthException(ErrorReason.InvalidValue, "A --header must be name=value, with a header's name and printable ASCII.");
            }
            if (header[..at].Trim().Equals("Authorization", StringComparison.OrdinalIgnoreCase))
            {
                throw new McpAuthException(ErrorReason.InvalidValue, "The Authorization header is made of the token.", "Give the token with: --token -");
            }
            headers[header[..at].Trim()] = header[(at + 1)..];
        }
        return headers;
    }
}

/// <summary>What the options said; null is not said.</summary>
internal sealed record ServerInput(string? Type, OAuthMode? OAuth, string? ClientId, string? ClientSecret,
    IReadOnlyList<string>? Scopes, string? Issuer, IReadOnlyDictionary<string, string>? Headers, string? Token,
    string? MetadataUrl, bool? Legacy)
{
    public McpServer Apply(McpServer server) => server with
    {
        Transport = Type is null ? server.Transport : Type == "sse" ? McpTransport.Sse : McpTransport.Http,
        OAuth = OAuth ?? server.OAuth,
        ClientId = Or(ClientId, server.ClientId),
        Scopes = Scopes ?? server.Scopes,
        Issuer = Or(Issuer, server.Issuer),
        ClientMetadataUrl = Or(MetadataUrl, server.ClientMetadataUrl),
        AllowLegacyEndpoints = Legacy ?? server.AllowLegacyEndpoints,
    };

    public async Task KeepSecretsAsync(McpServer server, CommandContext context, CancellationToken cancellationToken)
    {
        await context.Authenticator.SetSecretsAsync(server, ClientSecret, Headers,
            ClientId is not null || Issuer is not null || ClientSecret is not null, cancellationToken).ConfigureAwait(false);
        if (Token is not null)
        {
            AuthCommands.WarnOfRevocation(context,
                await context.Authenticator.SetTokenAsync(server, Token, null, cancellationToken).ConfigureAwait(false));
        }
    }

    /// <summary>An empty value takes the setting away.</summary>
    private static string? Or(string? given, string? before) => given is null ? before : given.Length == 0 ? null : given;

    public override string ToString() => "server options";
}
