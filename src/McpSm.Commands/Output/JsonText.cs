using McpSm.Core;
using McpSm.Core.Credentials;
using McpSm.Core.Servers;

namespace McpSm.Commands.Output;

/// <summary>The JSON texts of enum values. They are literals, because scripts compare them and C# names may change.</summary>
internal static class JsonText
{
    public static string Of(AuthState state) => state switch
    {
        AuthState.NotAuthenticated => "NotAuthenticated",
        AuthState.Authenticated => "Authenticated",
        AuthState.ExpiringSoon => "ExpiringSoon",
        AuthState.Expired => "Expired",
        AuthState.BearerToken => "BearerToken",
        AuthState.NoAuth => "NoAuth",
        AuthState.Unknown => "Unknown",
        _ => throw Unnamed(state),
    };

    public static string Of(CredentialKind kind) => kind switch
    {
        CredentialKind.None => "None",
        CredentialKind.Bearer => "Bearer",
        CredentialKind.OAuth => "OAuth",
        _ => throw Unnamed(kind),
    };

    public static string? Of(SignedInBy? signedInBy) => signedInBy switch
    {
        null => null,
        SignedInBy.Person => "Person",
        SignedInBy.Client => "Client",
        SignedInBy.Workload => "Workload",
        SignedInBy.IdentityProvider => "IdentityProvider",
        _ => throw Unnamed(signedInBy),
    };

    public static string Of(McpTransport transport) => transport switch
    {
        McpTransport.Http => "http",
        McpTransport.Sse => "sse",
        _ => throw Unnamed(transport),
    };

    public static string Of(DPoPMode mode) => mode switch
    {
        DPoPMode.Auto => "auto",
        DPoPMode.Always => "always",
        DPoPMode.Never => "never",
        _ => throw Unnamed(mode),
    };

    private static ArgumentOutOfRangeException Unnamed(object value) => new(nameof(value), value, "The value has no text in JSON.");
}
