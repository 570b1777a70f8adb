using System.CommandLine;
using McpSm.Commands.Output;
using McpSm.Commands.Remedies;
using McpSm.Commands.Servers;
using McpSm.Core.Errors;

namespace McpSm.Commands.Auth;

/// <summary><c>auth token</c>: prints an access token, or the headers that carry it. Renews the token first if it is due.</summary>
internal sealed class AuthTokenCommand : ServerSubcommand
{
    /// <summary>The first request of an MCP session, with a token.</summary>
    public const string CurlExample = """
        curl -H "$(mcpsm auth token my-api --header)" \
            -H 'Accept: application/json, text/event-stream' \
            --json '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{
              "protocolVersion":"2025-11-25","capabilities":{},
              "clientInfo":{"name":"me","version":"1"}}}' https://example.com/mcp
        """;

    private readonly Option<bool> _header = new("--header") { Description = "Print HTTP headers (two if the token is bound to a key)" };
    private readonly Option<bool> _json = new("--json") { Description = "Print the headers as a JSON object, for header helpers" };
    private readonly Option<string?> _method = new("--method") { Description = "HTTP method that a bound token is for (POST)" };
    private readonly Option<string?> _uri = new("--uri") { Description = "URL that a bound token is for (the server's URL)", HelpName = "url" };
    private readonly Option<string?> _nonce = new("--nonce") { Description = "DPoP-Nonce of the server's last response" };
    private readonly Option<bool> _renew = new("--renew") { Description = "Renew the token first, if the server refused it" };

    public AuthTokenCommand(CommandContext context) : base(context, "token", "Print a valid access token; renew it first if necessary")
    {
        foreach (Option option in (Option[])[_header, _json, _method, _uri, _nonce, _renew])
        {
            Add(option);
        }
        Examples =
        [
            CurlExample,
            "mcpsm auth token my-api --json",
            "mcpsm auth token my-api --header --method GET   # for one request",
            "mcpsm auth token my-api --renew                 # if the server refused it",
        ];
    }

    public override bool Changes(ParseResult parsed) => parsed.GetValue(_renew);

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var server = GetServer(parsed);
        var printsHeaders = parsed.GetValue(_header) || parsed.GetValue(_json);
        if (!printsHeaders && (parsed.GetValue(_method) ?? parsed.GetValue(_uri) ?? parsed.GetValue(_nonce)) is not null)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "--method, --uri and --nonce require --header or --json.");
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
            Context.Hint("Hint: this token is bound to a key (DPoP), so each request needs a proof. "
                + $"Print both headers with: {NextCommand.For("auth token", server.Id, "--header")}");
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
