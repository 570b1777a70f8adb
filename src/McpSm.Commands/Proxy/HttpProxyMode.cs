using System.CommandLine;
using System.Globalization;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Remedies;
using McpSm.Core;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Relay;

namespace McpSm.Commands.Proxy;

/// <summary><c>proxy --http</c>: serves one server, or all, over HTTP on loopback.</summary>
internal sealed class HttpProxyMode
{
    private readonly Option<bool> _http = new("--http") { Description = "Serve over HTTP on this machine, at a fixed URL" };
    private readonly Option<bool> _all = new("--all") { Description = "HTTP: serve every server, each at /<id>" };
    private readonly Option<int?> _port = NumberOption.Port("--port", "HTTP: listen on this port, also at later starts");
    private readonly Option<bool> _ephemeral = new("--ephemeral") { Description = "HTTP: use a new port and token, for this run only" };
    private readonly Option<bool> _showToken = new("--show-token") { Description = "HTTP: print the token for callers, and end" };

    private readonly Option<string[]> _origins = new("--allow-origin")
    {
        Description = "HTTP: let web pages of this origin call",
        HelpName = "origin",
    };

    public IReadOnlyList<Option> Options => [_http, _all, _port, _ephemeral, _showToken, _origins];

    public bool IsRequested(ParseResult parsed) => parsed.GetValue(_http);

    /// <summary>Rejects options that need <c>--http</c>.</summary>
    /// <exception cref="McpAuthException">InvalidValue.</exception>
    public void RequireUnused(ParseResult parsed)
    {
        if (Options.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } option)
        {
            throw Invalid($"{option.Name} requires --http.");
        }
    }

    /// <summary>Serves until the command is cancelled.</summary>
    /// <param name="context">The console and the services of this run.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="server">The server that the user named, or null.</param>
    /// <param name="cancellationToken">Ends the proxy.</param>
    /// <exception cref="McpAuthException">InvalidValue, ConfigurationUnavailable, ConfigurationCorrupt.</exception>
    public async Task<int> RunAsync(CommandContext context, ParseResult parsed, McpServer? server, CancellationToken cancellationToken)
    {
        var isEphemeral = parsed.GetValue(_ephemeral);
        if (server is null != parsed.GetValue(_all))
        {
            throw Invalid(server is null ? "mcpsm proxy --http needs a server or --all."
                : "--all serves every server, so it cannot be combined with a server.");
        }
        var name = server?.Id ?? HttpProxyFiles.AllServers;
        var files = new HttpProxyFiles(context.AppEnvironment,
            isEphemeral ? string.Create(CultureInfo.InvariantCulture, $"{name}@{Environment.ProcessId}") : name);
        if (parsed.GetValue(_showToken))
        {
            context.Console.Out.WriteLine(isEphemeral ? throw Invalid("--show-token and --ephemeral cannot be combined.")
                : files.ReadOrCreateBearer(context.Warn));
            return ExitCode.Done;
        }
        var origins = (parsed.GetValue(_origins) ?? []).Select(ReadOrigin).ToList();
        var proxy = context.Console.HttpProxy ?? throw Missing();
        using var held = isEphemeral ? null : files.TryLock() ?? throw AlreadyServed(server, files.ReadPort());
        try
        {
            await proxy.RunAsync(CreateOptions(context, server, files, origins, parsed), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (isEphemeral)
            {
                files.Remove();
            }
        }
        return ExitCode.Done;
    }

    private HttpProxyOptions CreateOptions(
        CommandContext context, McpServer? server, HttpProxyFiles files, IReadOnlyCollection<string> origins, ParseResult parsed)
    {
        var catalog = new ServedCatalog(context.Catalog, context.AppEnvironment.Time);
        var isEphemeral = parsed.GetValue(_ephemeral);
        // A caller waits for an answer, so a sign-in that needs a person fails at once and names the command for it.
        context.Interaction.NonInteractive = true;
        return new HttpProxyOptions
        {
            FindServer = id => server is null || server.Id == id ? catalog.Find(id) : null,
            Connect = to => new AuthenticatingHandler(to, context.Authenticator, new SignInOptions()),
            FindCommand = FindCommand,
            Bearer = files.ReadOrCreateBearer(context.Warn),
            Port = parsed.GetValue(_port) is > 0 and var port ? port : isEphemeral ? null : files.ReadPort(),
            AllowedOrigins = origins,
            Started = started =>
            {
                if (!isEphemeral)
                {
                    files.WritePort(started);
                }
                Announce(context, server, files, started, isEphemeral);
            },
            Relay = new RelayOptions
            {
                Log = context.Verbose ? context.Hint : null,
                Warn = context.Warn,
                Time = context.AppEnvironment.Time,
            },
        };
    }

    private static void Announce(CommandContext context, McpServer? server, HttpProxyFiles files, int port, bool isEphemeral)
    {
        context.Print(UrlOf(server, port));
        var what = server is null ? "Each server of 'mcpsm list' is served at this URL and its id" : $"'{server.Name}' is served at this URL";
        context.Hint($"{what}. Callers send the bearer token in '{files.BearerPath}'. Ctrl+C ends the command.");
        if (!isEphemeral)
        {
            context.Hint($"Print the token for the configuration of a client: {ShowToken(server)}");
        }
    }

    private static string UrlOf(McpServer? server, int port) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/{server?.Id}");

    private static string ShowToken(McpServer? server) =>
        server is null ? "mcpsm proxy --all --http --show-token" : NextCommand.For("proxy", server.Id, "--http --show-token");

    private static string? FindCommand(McpAuthException e, McpServer server) => e.Reason is ErrorReason.AuthenticationRequired
            or ErrorReason.InteractionRequired or ErrorReason.RefreshTokenRejected or ErrorReason.TokenRejected or ErrorReason.InsufficientScope
            or ErrorReason.OAuthDisabled
        ? CliRemedyFormatter.Instance.Format(CredentialRemedy.ForNewCredential(server))
        : e.Remedy is null ? null : CliRemedyFormatter.Instance.Format(e.Remedy);

    /// <summary>Checks that a value is an origin as browsers send it (RFC 6454 section 6.2).</summary>
    private static string ReadOrigin(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url is { UserInfo: "", Authority.Length: > 0 }
        && $"{url.Scheme}://{url.Authority}" is var origin && origin.Equals(text.TrimEnd('/'), StringComparison.OrdinalIgnoreCase) ? origin
        : throw Invalid("The value of --allow-origin is not an origin.", "Give only the scheme, the host and the port, such as http://localhost:6274.");

    private static McpAuthException Missing() => new(ErrorReason.ConfigurationUnavailable,
        "This build of mcpsm contains no web server, so it cannot serve over HTTP.",
        "Use the native executable of a release, or omit --http and let each client start the command.");

    private static McpAuthException AlreadyServed(McpServer? server, int? port) => new(ErrorReason.ConfigurationUnavailable,
        $"Another process already serves {(server is null ? "all servers" : $"'{server.Name}'")}{(port is null ? "" : $", at {UrlOf(server, port.Value)}")}.",
        "Use that URL, end that process, or start a second one with --ephemeral.");

    private static McpAuthException Invalid(string message, string? remedy = null) => new(ErrorReason.InvalidValue, message, remedy);
}
