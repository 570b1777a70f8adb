using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Vaults.EncryptedFile;
using Microsoft.Identity.Client.Extensions.Msal;

namespace McpSm.Core.Vaults.MacOS;

/// <summary>
/// The Keychain through MSAL's <see cref="Storage"/>. On macOS, Storage reads and writes generic passwords of the login keychain; its only file is
/// empty, and the file's time tells other processes about changes. Other code must not name MSAL's types, so that MSAL is loaded only when the first
/// item is read or written.
/// </summary>
[SupportedOSPlatform("macos")]
internal sealed class MsalKeychain(AppEnvironment environment) : IKeychain
{
    public const string Service = "mcpsm";

    // Neither the environment nor a debugger can turn this trace source on.
    private static readonly TraceSource Silent = new(Service, SourceLevels.Off);

    public byte[] Read(string account) => Try("read", () => Open(account).ReadData());

    public void Write(string account, byte[] password) => Try("write", () =>
    {
        Open(account).WriteData(password);
        return true;
    });

    public void Remove(string account) => Try("remove", () =>
    {
        Open(account).Clear();
        return true;
    });

    private Storage Open(string account) => Storage.Create(
        new StorageCreationPropertiesBuilder("keychain.changed", environment.PathOf("locks")).WithMacKeyChain(Service, account).Build(), Silent);

    private static T Try<T>(string verb, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e)
        {
            // MSAL's exception type for Keychain errors is internal, so it cannot be caught by type.
            throw Failed(verb, CodeOf(e), e);
        }
    }

    /// <summary>Reads the OSStatus at the end of a message such as <c>KeyChain - user cancelled the operation. .Error code: -128</c>.</summary>
    private static int? CodeOf(Exception e) => e.Message.Split("Error code: ") is [_, var last]
        && int.TryParse(last, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var code) ? code : null;

    private static McpAuthException Failed(string verb, int? code, Exception e) => code switch
    {
        // errSecInteractionNotAllowed, errSecInteractionRequired: the session has no user interface to prompt in.
        -25308 or -25315 => new(ErrorReason.VaultLocked, $"The Keychain is locked (error {code}).",
            "Run the command again after: security unlock-keychain", e),
        // errSecAuthFailed, errSecUserCanceled: the user denied the prompt.
        -25293 or -128 => new(ErrorReason.VaultLocked, $"The Keychain did not let Mcpsm {verb} an item (error {code}).",
            "Run the command again and allow access when the Keychain asks.", e),
        _ => new(ErrorReason.VaultUnavailable, $"The Keychain could not {verb} an item ({(code is null ? e.GetType().Name : $"error {code}")}).",
            $"Use the encrypted file with: {new UseVaultStep(EncryptedFileVault.VaultName)}", e),
    };
}
