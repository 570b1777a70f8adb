using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Remedies;
using McpSm.Commands.Servers;
using McpSm.Core;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Relay;

namespace McpSm.Commands.Proxy;

/// <summary>
/// <c>proxy</c>: an MCP server on standard input and output, which an MCP client starts. It forwards every message to a remote server, with
/// signed-in requests.
/// </summary>
internal sealed class ProxyCommand : ServerSubcommand
{
    private readonly HttpProxyMode _http = new();

    public ProxyCommand(CommandContext context) : base(context, "proxy", "Relay a local MCP client to a server", isOptional: true)
    {
        Server.Description = "Server id, name or URL";
        foreach (var option in _http.Options)
        {
            Add(option);
        }
        Examples = ["mcpsm proxy my-api", "mcpsm proxy my-api --http", "mcpsm proxy my-api --http --show-token"];
    }

    public override bool ReadsStandardInput => true;

    public override bool Changes(ParseResult parsed) => false;

    // pwsh cannot pass on standard streams as bytes. A vault that only PowerShell opens gives an error to the client.
    public override IEnumerable<string?> FindVaults(ParseResult parsed) => [];

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (_http.IsRequested(parsed))
        {
            return await _http.RunAsync(Context, parsed, parsed.GetValue(Server) is null ? null : GetServer(parsed), cancellationToken).ConfigureAwait(false);
        }
        _http.RequireUnused(parsed);
        if (parsed.GetValue(Server) is null)
        {
            return UsageError.Report("mcpsm proxy needs <server>.", "mcpsm proxy --help", Context);
        }
        var server = GetServer(parsed);
        if (Context.Console.OpenStandardStreams() is not var (input, output))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "'mcpsm proxy' needs a process of its own, because it relays standard input and output.",
                "Start the executable 'mcpsm' instead of the command of this session.");
        }
        if (Context.Console.IsInputTerminal)
        {
            Context.Hint($"Relaying JSON-RPC messages between this terminal and '{server.Name}'. An MCP client usually starts this command. Ctrl+D ends it.");
        }
        // A client limits how long 'initialize' may take, so a sign-in that needs a person fails at once and names the command for it.
        Context.Interaction.NonInteractive = true;
        Context.Interaction.Quiet = !Context.Verbose;
        var handlers = new List<AuthenticatingHandler>();
        try
        {
            using var relay = new StdioRelay(server, input, output, Connect, FindCommand, new RelayOptions
            {
                Log = Context.Verbose ? Context.Hint : null,
                Warn = Context.Warn,
                Time = Context.AppEnvironment.Time,
            });
            using var client = ParentWatch.Start(Context.AppEnvironment.Time, cancellationToken);
            return await relay.RunAsync(client.Token).ConfigureAwait(false);
        }
        finally
        {
            // The client sees the end now, although a renewal may still be in flight. Its refresh token must not be lost.
            await output.DisposeAsync().ConfigureAwait(false);
            await RelayEnd.WaitAsync(handlers, Context.AppEnvironment).ConfigureAwait(false);
            handlers.ForEach(handler => handler.Dispose());
        }

        HttpMessageInvoker Connect(McpTransport transport)
        {
            var handler = new AuthenticatingHandler(transport == server.Transport ? server : new McpServer(server) { Transport = transport },
                Context.Authenticator, new SignInOptions());
            handlers.Add(handler);
            return new HttpMessageInvoker(handler, disposeHandler: false);
        }

        string? FindCommand(McpAuthException e) => e.Reason is ErrorReason.AuthenticationRequired or ErrorReason.InteractionRequired or ErrorReason.RefreshTokenRejected
                or ErrorReason.TokenRejected or ErrorReason.InsufficientScope
            ? CliRemedyFormatter.Instance.Format(CredentialRemedy.ForNewCredential(server))
            : e.Remedy is null ? null : CliRemedyFormatter.Instance.Format(e.Remedy);
    }
}
