using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Remedies;
using McpSm.Commands.Servers;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Relay;
using McpSm.Relay.SignIn;

namespace McpSm.Commands.Proxy;

/// <summary>
/// <c>proxy</c>: an MCP server on standard input and output, which an MCP client starts. It forwards every message to a remote server, with
/// signed-in requests.
/// </summary>
internal sealed class ProxyCommand : ServerSubcommand
{
    private readonly ProxyOptions _options = new();
    private readonly HttpProxyMode _http = new();
    private readonly SettingOptions _settings = new();
    private readonly SignInOption _signIn = new();

    public ProxyCommand(CommandContext context) : base(context, "proxy", "Relay a local MCP client to a server", isOptional: true)
    {
        Server.Description = "Server id, name or URL";
        foreach (var option in _options.All.Concat(_http.Options).Concat(_settings.Options))
        {
            Add(option);
        }
        _signIn.AddTo(this);
        Examples =
        [
            "mcpsm proxy my-api",
            "mcpsm proxy my-api --sign-in",
            "mcpsm proxy my-api --ignore-tool 'delete_*' --log-file relay.log",
            "mcpsm proxy https://example.com/mcp --header X-Tenant:acme",
            "mcpsm proxy my-api --http",
            "mcpsm proxy my-api --http --show-token",
        ];
    }

    public override bool ReadsStandardInput => true;

    /// <summary>Returns true for a URL of an unknown server, which is added.</summary>
    public override bool Changes(ParseResult parsed) =>
        parsed.GetValue(Server) is { } given && ServerLookup.IsUrl(given) && Context.Catalog.Find(given) is null;

    public override bool NeedsStandardStreams => true;

    // PowerShell has no web server. A server that is not in the catalog has no credential.
    public override IEnumerable<string?> FindVaults(ParseResult parsed) =>
        _http.IsRequested(parsed) || parsed.GetValue(Server) is not { } given || Context.Catalog.Find(given) is null ? [] : base.FindVaults(parsed);

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        _settings.Apply(parsed, Context);
        if (_http.IsRequested(parsed))
        {
            _options.RequireUnused(parsed);
            return await _http.RunAsync(Context, parsed, parsed.GetValue(Server) is null ? null : GetServer(parsed), cancellationToken).ConfigureAwait(false);
        }
        _http.RequireUnused(parsed);
        if (parsed.GetValue(Server) is null)
        {
            return UsageError.Report("mcpsm proxy needs <server>.", "mcpsm proxy --help", Context);
        }
        var headers = _options.ReadHeaders(parsed, Context, cancellationToken);
        var server = _options.Apply(parsed, await FindServerAsync(parsed, cancellationToken).ConfigureAwait(false));
        if (headers.Count > 0)
        {
            ServerUrl.RequireSecure(server);
        }
        var options = _options.Create(parsed, server);
        if (Context.Console.OpenStandardStreams() is not var (input, output))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "'mcpsm proxy' needs a process of its own, because it relays standard input and output.",
                "Start the executable 'mcpsm' instead of the command of this session, or: "
                + $"pwsh -NoProfile -NonInteractive -Command {NextCommand.For("proxy", server.Id).Replace("mcpsm", "Invoke-Mcpsm", StringComparison.Ordinal)}");
        }
        if (Context.Console.IsInputTerminal)
        {
            Context.Hint($"Relaying JSON-RPC messages between this terminal and '{server.Name}'. An MCP client usually starts this command. Ctrl+D ends it.");
        }
        // A client limits how long 'initialize' may take, so a sign-in that needs a person fails at once and names the command for it.
        Context.Interaction.NonInteractive = true;
        Context.Interaction.Quiet = !Context.Verbose;
        var log = new LogFile(_options.LogFile(parsed), Context.AppEnvironment.Time, Context.Warn);
        await using var closingLog = log.ConfigureAwait(false);
        var connections = new ProxyConnections(Context, server, headers);
        await using var closing = connections.ConfigureAwait(false);
        try
        {
            using var relay = new StdioRelay(server, input, output, connections.Connect, e => FindCommand(e, server, connections.HasOwnCredential), options with
            {
                Log = Context.Verbose || log.IsOn ? Log : null,
                Warn = Warn,
                SignIn = connections.HasOwnCredential ? null : _signIn.Read(parsed, server, Context),
                SignInTimeout = _signIn.ReadTimeout(parsed),
                Memory = new ServerMemory(RelayFiles.Session(Context.AppEnvironment, server.Id), server.Url, Log),
                Time = Context.AppEnvironment.Time,
            });
            using var client = ParentWatch.Start(Context.AppEnvironment.Time, cancellationToken);
            return await relay.RunAsync(client.Token).ConfigureAwait(false);
        }
        finally
        {
            // The client sees the end now, although a renewal may still be in flight.
            await output.DisposeAsync().ConfigureAwait(false);
        }

        void Log(string line)
        {
            log.Write(line);
            if (Context.Verbose)
            {
                Context.Hint(line);
            }
        }

        void Warn(string line)
        {
            log.Write(line);
            Context.Warn(line);
        }
    }

    /// <summary>Finds the server. One that is named by a URL is added, so that a client needs no other command before its first start.</summary>
    /// <exception cref="McpAuthException">ServerNotFound, InvalidServerUrl; InvalidValue: several servers match.</exception>
    private async Task<McpServer> FindServerAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var given = parsed.GetValue(Server)!;
        if (!ServerLookup.IsUrl(given) || Context.Catalog.Find(given) is not null)
        {
            return GetServer(parsed);
        }
        var (server, isNew) = await Context.Authenticator.Servers.FindOrAddAsync(given, cancellationToken).ConfigureAwait(false);
        if (isNew)
        {
            Context.Hint($"Server '{server.Name}' added.");
        }
        return server;
    }

    private static string? FindCommand(McpAuthException e, McpServer server, bool hasOwnCredential) => !hasOwnCredential
            && e.Reason is ErrorReason.AuthenticationRequired or ErrorReason.InteractionRequired or ErrorReason.RefreshTokenRejected
                or ErrorReason.TokenRejected or ErrorReason.InsufficientScope
        ? CliRemedyFormatter.Instance.Format(CredentialRemedy.ForNewCredential(server))
        : e.Remedy is null ? null : CliRemedyFormatter.Instance.Format(e.Remedy);
}
