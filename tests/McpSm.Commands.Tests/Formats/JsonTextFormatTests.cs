using McpSm.Commands.Output;
using McpSm.Core;
using McpSm.Core.Credentials;
using McpSm.Core.Servers;
using Xunit;

namespace McpSm.Commands.Tests.Formats;

/// <summary>Tests of the texts of the enums in <c>--json</c>.</summary>
public sealed class JsonTextFormatTests
{
    [Fact]
    public void States_have_fixed_texts() =>
        Check<AuthState>(JsonText.Of, "Authenticated", "BearerToken", "Expired", "ExpiringSoon", "NoAuth", "NotAuthenticated", "Unknown");

    [Fact]
    public void Kinds_of_credentials_have_fixed_texts() => Check<CredentialKind>(JsonText.Of, "Bearer", "None", "OAuth");

    [Fact]
    public void Signers_have_fixed_texts() => Check<SignedInBy>(value => JsonText.Of((SignedInBy?)value)!, "Client", "IdentityProvider", "Person", "Workload");

    [Fact]
    public void Transports_have_fixed_texts() => Check<McpTransport>(JsonText.Of, "http", "sse");

    [Fact]
    public void DPoP_modes_have_fixed_texts() => Check<DPoPMode>(JsonText.Of, "always", "auto", "never");

    private static void Check<T>(Func<T, string> text, params string[] expected) where T : struct, Enum =>
        Assert.Equal(expected, Enum.GetValues<T>().Select(text).Order(StringComparer.Ordinal));
}
