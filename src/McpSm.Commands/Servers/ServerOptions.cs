using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Servers;

namespace McpSm.Commands.Servers;

/// <summary>The options that <c>add</c> and <c>server update</c> share.</summary>
internal sealed class ServerOptions
{
    private readonly Option<string?> _type;
    private readonly Option<bool> _oauth = new("--oauth") { Description = "Turn sign-in on" };
    private readonly Option<bool> _noOAuth = new("--no-oauth") { Description = "Turn sign-in off" };
    private readonly Option<string?> _clientId = new("--client-id") { Description = "Id of a client that you registered", HelpName = "id" };
    private readonly SecretVariableOption _secret = new("--client-secret-from-env", "Variable that holds the client secret");
    private readonly Option<string[]> _scopes =
        new("--scope") { Description = "Scopes to request instead of the server's", AllowMultipleArgumentsPerToken = true };
    private readonly Option<string?> _issuer = new("--issuer") { Description = "The only issuer to use", HelpName = "url" };
    private readonly HeaderOptions _headers = new();
    private readonly Option<string?> _token = new("--token") { Description = "Bearer token; - reads standard input" };
    private readonly Option<string?> _metadata = new("--client-metadata-url") { Description = "URL of your client metadata document", HelpName = "url" };
    private readonly Option<bool> _legacy = new("--allow-legacy-endpoints") { Description = "Allow default endpoints (MCP 2025-03-26)" };

    private readonly Option<string[]> _authorize = AuthorizeParameterOption.Create("Add a parameter to authorization URLs");

    private readonly Option<bool> _relaySignIn = new("--relay-sign-in") { Description = "Let mcpsm proxy ask to sign in" };
    private readonly Option<string?> _resource = new("--resource") { Description = "resource for the issuer, or none", HelpName = "uri" };
    private readonly Option<bool> _fallback = new("--fallback") { Description = "Let the proxy try the other transport" };
    private readonly Option<string[]> _allow = ToolOption.Create("--allow-tool", "Tools that the proxy offers alone");
    private readonly Option<string[]> _ignore = ToolOption.Create("--ignore-tool", "Tools that the proxy leaves out");
    private readonly Option<int?> _request = NumberOption.TimeLimit("--request-timeout", "Time limit for a request of the proxy");
    private readonly Option<int?> _initialize = NumberOption.TimeLimit("--initialize-timeout", "Time limit for 'initialize' of the proxy");

    private readonly Option<string?> _dpop = new("--dpop") { Description = "Bind tokens to a key: auto, always or never", HelpName = "when" };

    public ServerOptions(bool typeRequired)
    {
        _dpop.AcceptOnlyFromAmong("auto", "always", "never");
        _type = new Option<string?>("--type", "-t") { Description = "http or sse", Required = typeRequired };
        _type.AcceptOnlyFromAmong("http", "sse");
    }

    public void AddTo(Command command)
    {
        Option[] options =
        [
            _type, _oauth, _noOAuth, _clientId, _secret, _scopes, _issuer, .. _headers.All, _token, _metadata, _legacy, _dpop, _authorize,
            _relaySignIn, _resource, _fallback, _allow, _ignore, _request, _initialize,
        ];
        foreach (var option in options)
        {
            command.Add(option);
        }
    }

    /// <summary>Returns whether the user gave a secret, which goes to a vault.</summary>
    public bool HaveSecret(ParseResult parsed) =>
        ((Option[])[_token, _secret, .. _headers.All]).Any(o => parsed.GetResult(o) is { Implicit: false });

    /// <exception cref="McpAuthException">InvalidValue; InteractionRequired: standard input is empty.</exception>
    public async Task<ServerUpdate> ReadAsync(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        var (oauth, noOAuth) = (GetSwitch(parsed, _oauth), GetSwitch(parsed, _noOAuth));
        if (oauth is not null && noOAuth is not null)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "--oauth and --no-oauth cannot be combined.");
        }
        return new ServerUpdate
        {
            Transport = parsed.GetValue(_type) is { } type ? type == "sse" ? McpTransport.Sse : McpTransport.Http : null,
            OAuth = (oauth ?? !noOAuth) switch { true => OAuthMode.On, false => OAuthMode.Off, null => null },
            ClientId = parsed.GetValue(_clientId),
            ClientSecret = _secret.Read(parsed, context),
            Scopes = parsed.GetResult(_scopes) is null ? null : Scopes.Typed(parsed.GetValue(_scopes)!),
            Issuer = parsed.GetValue(_issuer),
            Headers = await _headers.ReadAsync(parsed, context, isInputUsed: parsed.GetValue(_token) == "-", cancellationToken).ConfigureAwait(false),
            ClientMetadataUrl = parsed.GetValue(_metadata),
            AllowLegacyEndpoints = GetSwitch(parsed, _legacy),
            DPoP = parsed.GetValue(_dpop) switch { "auto" => DPoPMode.Auto, "always" => DPoPMode.Always, "never" => DPoPMode.Never, _ => null },
            AuthorizeParams = AuthorizeParameterOption.Read(parsed, _authorize),
            RelaySignIn = GetSwitch(parsed, _relaySignIn),
            Resource = parsed.GetValue(_resource),
            Fallback = GetSwitch(parsed, _fallback),
            AllowTools = ToolOption.Read(parsed, _allow),
            IgnoreTools = ToolOption.Read(parsed, _ignore),
            RequestTimeout = parsed.GetValue(_request),
            InitializeTimeout = parsed.GetValue(_initialize),
            Token = parsed.GetValue(_token) is { } token
                ? await SecretInput.ReadTokenAsync(token, context, cancellationToken).ConfigureAwait(false) : null,
        };
    }

    /// <summary>Returns the value of a switch, which the user may set to <c>false</c>, or null if the switch is absent.</summary>
    private static bool? GetSwitch(ParseResult parsed, Option<bool> option) =>
        parsed.GetResult(option) is null or { Implicit: true } ? null : parsed.GetValue(option);
}
