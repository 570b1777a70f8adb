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
/// The Keychain through MSAL's <see cref="Storage"/>: on macOS it reads and writes generic passwords of the login
/// keychain and never a file but an empty one, whose time tells other processes of a change. Nothing else may name
/// MSAL's types: it is loaded when the first item is read or written.
/// </summary>
[SupportedOSPlatform("macos")]
internal sealed class MsalKeychain(AppEnvironment environment) : IKeychain
{
    public const string Service = "mcpsm";

    // Neither the environment nor a debugger makes it talk.
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
            // Its exceptions for the Keychain's answers are of a type of its own that nobody else can name.
            throw Failed(verb, CodeOf(e), e);
        }
    }

    /// <summary>The OSStatus at the end of a message like <c>KeyChain - user cancelled the operation. .Error code: -128</c>.</summary>
    private static int? CodeOf(Exception e) => e.Message.Split("Error code: ") is [_, var last]
        && int.TryParse(last, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var code) ? code : null;

    private static McpAuthException Failed(string verb, int? code, Exception e) => code switch
    {
        // errSecInteractionNotAllowed, errSecInteractionRequired: nobody at the screen to ask.
        -25308 or -25315 => new(ErrorReason.VaultLocked, $"The Keychain is locked (error {code}).",
            "Run the command again after: security unlock-keychain", e),
        // errSecAuthFailed, errSecUserCanceled: the question was answered with no.
        -25293 or -128 => new(ErrorReason.VaultLocked, $"The Keychain did not let Mcpsm {verb} an item (error {code}).",
            "Run the command again and allow it when the Keychain asks.", e),
        _ => new(ErrorReason.VaultUnavailable, $"The Keychain could not {verb} an item ({(code is null ? e.GetType().Name : $"error {code}")}).",
            $"Use the encrypted file with: {new UseVaultStep(EncryptedFileVault.VaultName)}", e),
    };
}
