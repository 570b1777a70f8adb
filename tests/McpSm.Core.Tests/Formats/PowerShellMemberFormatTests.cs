using System.Reflection;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Formats;

/// <summary>
/// The enum members and properties that PowerShell users see and write: <c>(Get-McpAuthStatus).State -eq 'Expired'</c>. Types can be renamed,
/// but these members keep their names.
/// </summary>
public sealed class PowerShellMemberFormatTests
{
    [Fact]
    public void Enum_members_visible_in_PowerShell_equal_the_golden_file() => GoldenFile.OfCore("powershell-enums.txt").RequireEqual(
        Members<AuthState>("state of a status or test") + Members<CredentialKind>("kind of a credential") + Members<SignedInBy>("who signed in")
        + Members<McpTransport>("transport") + Members<OAuthMode>("OAuth of a server") + Members<DPoPMode>("DPoP of a server")
        + Members<PlaintextKind>("kind of an imported secret") + Members<SecretKind>("kind of a named secret, for SecretManagement")
        + Members<ErrorReason>("reason of an error"));

    [Fact]
    public void Properties_visible_in_PowerShell_equal_the_golden_file() => GoldenFile.OfCore("powershell-properties.txt").RequireEqual(
        Properties<McpServer>("server") + Properties<McpAuthStatus>("status") + Properties<McpTestResult>("test") + Properties<McpImport>("import")
        + Properties<McpVault>("vault") + Properties<McpIdentityProvider>("identity provider") + Properties<SecretInfo>("secret")
        + Properties<McpAuthException>("error"));

    private static string Members<T>(string what) where T : struct, Enum =>
        $"{what}: {string.Join(", ", Enum.GetNames<T>().Order(StringComparer.Ordinal))}\n";

    private static string Properties<T>(string what) => $"{what}: {string.Join(", ", typeof(T)
        .GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Select(p => p.Name).Order(StringComparer.Ordinal))}\n";
}
