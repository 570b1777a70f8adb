using System.CommandLine;
using McpSm.Commands.Output;
using McpSm.Commands.Remedies;
using McpSm.Commands.Servers;
using McpSm.Core.Errors;

namespace McpSm.Commands.Auth;

/// <summary><c>auth token</c>: prints an access token, or the headers that carry it. Renews the token first if it is due.</summary>
internal sealed class TokenCommand : ServerSubcommand
{
    /// <summary>The first request of an MCP session, with a token.</summary>
    public const string CurlExample = """
        curl -H "$(mcpsm auth token my-api --header)" \
            -H 'Accept: application/json, text/event-stream' \
            --json '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{
              "protocolVersion":"2025-11-25","capabilities":{},
              "clientInfo":{"name":"me","version":"1"}}}' https://example.com/mcp
        """;

    private readonly Option<bool> _header = new("--header") { Description = "Print it as an HTTP header; two where it is bound" };
    private readonly Option<bool> _json = new("--json") { Description = "Print a JSON object of headers, as header helpers do" };
    private readonly Option<string?> _method = new("--method") { Description = "The request's method, for a bound token (POST)" };
    private readonly Option<string?> _uri = new("--uri") { Description = "The request's URL (the server's own)", HelpName = "url" };
    private readonly Option<string?> _nonce = new("--nonce") { Description = "The DPoP-Nonce of the server's last answer" };
    private readonly Option<bool> _renew = new("--renew") { Description = "Renew it first: the server refused the last one" };

    public TokenCommand(CommandContext context) : base(context, "token", "Print a valid access token, renewed first if need be")
    {
        foreach (Option option in (Option[])[_header, _json, _method, _uri, _nonce, _renew])
        {
            Add(option);
        }
        Examples =
        [
            CurlExample,
            "mcpsm auth token my-api --json",
            "mcpsm auth token my-api --header --method GET   # one request of a bound token",
            "mcpsm auth token my-api --renew                 # the last was refused",
        ];
    }

    public override bool Changes(ParseResult parsed) => parsed.GetValue(_renew);

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var server = GetServer(parsed);
        var printsHeaders = parsed.GetValue(_header) || parsed.GetValue(_json);
        if (!printsHeaders && (parsed.GetValue(_method) ?? parsed.GetValue(_uri) ?? parsed.GetValue(_nonce)) is not null)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "--method, --uri and --nonce are of headers: say --header or --json as well.");
        }
        var token = await Context.Authenticator.Tokens.GetAccessTokenAsync(server, cancellationToken, parsed.GetValue(_renew)).ConfigureAwait(false);
        if (printsHeaders)
        {
            var headers = token.HeadersFor(parsed.GetValue(_method), parsed.GetValue(_uri), parsed.GetValue(_nonce));
            Context.Console.Out.WriteLine(parsed.GetValue(_json) ? ToJson(headers) : string.Join('\n', headers.Select(h => $"{h.Key}: {h.Value}")));
            return ExitCode.Done;
        }
        Context.Console.Out.WriteLine(token.Value);
        if (token.IsBound)
        {
            Context.Hint($"Hint: this token is bound to a key (DPoP) and needs a proof for each request: {NextCommand.For("auth token", server.Id, "--header")}");
        }
        return ExitCode.Done;
    }

    private static string ToJson(IEnumerable<KeyValuePair<string, string>> headers) => JsonOutput.Document(writer =>
    {
        writer.WriteStartObject();
        foreach (var (name, value) in headers)
        {
            writer.WriteString(name, value);
        }
        writer.WriteEndObject();
    });
}
