using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.Relay;
using McpSm.Relay.Tools;

namespace McpSm.Commands.Proxy;

/// <summary>The options of <c>proxy</c> about the exchange with the server. They apply to one run, and add to the settings of the server.</summary>
internal sealed class ProxyOptions
{
    private readonly Option<string[]> _headers = new("--header") { Description = "Header to send; ${NAME} stands for a variable", HelpName = "name: value" };
    private readonly Option<string[]> _headerFiles = new("--header-file") { Description = "File with one header per line", HelpName = "path" };
    private readonly Option<string?> _transport = new("--transport") { Description = "http-first, sse-first, http-only or sse-only", HelpName = "which" };
    private readonly Option<string[]> _allow = ToolOption.Create("--allow-tool", "Offer only these tools, such as get_*");
    private readonly Option<string[]> _ignore = ToolOption.Create("--ignore-tool", "Exclude these tools, such as delete_*");
    private readonly Option<int?> _request = NumberOption.TimeLimit("--request-timeout", "Time limit for a request (default: none)");
    private readonly Option<int?> _initialize = NumberOption.TimeLimit("--initialize-timeout", "Time limit for 'initialize'");
    private readonly Option<string?> _log = new("--log-file") { Description = "Log each exchange, without contents", HelpName = "path" };

    public ProxyOptions() => _transport.AcceptOnlyFromAmong("http-first", "sse-first", "http-only", "sse-only");

    public IReadOnlyList<Option> All => [_headers, _headerFiles, _transport, _allow, _ignore, _request, _initialize, _log];

    /// <summary>Rejects options that <c>--http</c> does not follow.</summary>
    /// <exception cref="McpAuthException">InvalidValue.</exception>
    public void RequireUnused(ParseResult parsed)
    {
        if (All.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } option)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"{option.Name} cannot be combined with --http.");
        }
    }

    /// <summary>Returns the file for the log; null for no log.</summary>
    public string? LogFile(ParseResult parsed) => parsed.GetValue(_log) is { Length: > 0 } path ? path : null;

    /// <summary>Returns the server as this run uses it.</summary>
    public McpServer Apply(ParseResult parsed, McpServer server) => parsed.GetValue(_transport) is not { } transport ? server : new McpServer(server)
    {
        Transport = transport.StartsWith("sse", StringComparison.Ordinal) ? McpTransport.Sse : McpTransport.Http,
        Relay = server.Relay with { Fallback = transport.EndsWith("-first", StringComparison.Ordinal) },
    };

    /// <summary>Returns how to relay the server.</summary>
    /// <exception cref="McpAuthException">InvalidValue: a pattern for tools is too long.</exception>
    public RelayOptions Create(ParseResult parsed, McpServer server)
    {
        var (allow, ignore) = (ToolOption.Read(parsed, _allow) ?? [], ToolOption.Read(parsed, _ignore) ?? []);
        ToolPattern.Check(allow);
        ToolPattern.Check(ignore);
        return new RelayOptions
        {
            MayFallBack = server.Fallback,
            Tools = ToolFilter.Create([server.AllowTools, allow], [.. server.IgnoreTools, .. ignore]),
            RequestTimeout = Seconds(parsed.GetValue(_request) ?? server.RequestTimeout),
            InitializeTimeout = Seconds(parsed.GetValue(_initialize) ?? server.InitializeTimeout),
        };
    }

    /// <summary>Returns the headers of this run.</summary>
    /// <exception cref="McpAuthException">InvalidValue: a header cannot be sent, or a variable is not set.</exception>
    public IReadOnlyDictionary<string, string> ReadHeaders(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in (parsed.GetValue(_headerFiles) ?? []).SelectMany(path => HeaderLine.ReadFile(path, cancellationToken))
            .Concat((parsed.GetValue(_headers) ?? []).Select(header => HeaderLine.Split(header)
                ?? throw new McpAuthException(ErrorReason.InvalidValue, "A --header must be 'Name: value'.", "Put a colon after the name of the header."))))
        {
            var expanded = HeaderLine.Expand(value, context.AppEnvironment);
            ServerUpdate.CheckHeaderText(name, expanded);
            headers[name] = expanded;
        }
        return headers;
    }

    private static TimeSpan? Seconds(int? seconds) => seconds is > 0 ? TimeSpan.FromSeconds(seconds.Value) : null;
}
