using McpSm.Core.Errors;

namespace McpSm.Core.Servers;

/// <summary>How <c>mcpsm proxy</c> relays to a server: the member <c>relay</c> of the server in <c>config.json</c>.</summary>
internal sealed record RelaySettings
{
    public static RelaySettings None { get; } = new();

    /// <summary>Whether the relay asks a person to sign in if it starts without a usable credential.</summary>
    public bool SignIn { get; init; }

    /// <summary>
    /// Whether the other transport is tried if the server does not speak that of its setting; null for the default: from Streamable HTTP, but not
    /// from HTTP+SSE.
    /// </summary>
    public bool? Fallback { get; init; }

    /// <summary>The tools to offer, with <c>*</c> as a wildcard; empty for all.</summary>
    public IReadOnlyList<string> AllowTools { get; init => field = DisplayList.Create(value); } = DisplayList.None;

    /// <summary>The tools to leave out, with <c>*</c> as a wildcard.</summary>
    public IReadOnlyList<string> IgnoreTools { get; init => field = DisplayList.Create(value); } = DisplayList.None;

    /// <summary>How many seconds a request may take; null for no limit.</summary>
    public int? RequestTimeout { get; init; }

    /// <summary>How many seconds <c>initialize</c> may take; null for the limit of the other requests.</summary>
    public int? InitializeTimeout { get; init; }
}
