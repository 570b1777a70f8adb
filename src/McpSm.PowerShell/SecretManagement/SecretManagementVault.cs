using System.Management.Automation;
using System.Net;
using System.Security;
using McpSm.Core.Errors;
using McpSm.Core.Vaults;

namespace McpSm.PowerShell.SecretManagement;

/// <summary>A vault that is registered with SecretManagement.</summary>
/// <param name="vault">The name of the registration.</param>
/// <param name="commands">Calls SecretManagement.</param>
internal sealed class SecretManagementVault(string vault, SecretManagementCommands commands) : IVault
{
    // The prefixes of credentials, registrations, identity sessions, and checks that were interrupted. Other items belong to the user.
    private static readonly string[] ItemPrefixes = ["mcpsm-", "mcpsmclient-", "mcpsmidp-", "mcpsmcheck-"];

    private bool _isNotMcpsm;

    public string Name => VaultSelector.SecretManagementPrefix + vault;

    public string Protection => $"The extension module of the SecretManagement vault '{vault}' protects the secrets.";

    public async Task<string?> GetAsync(string item, CancellationToken cancellationToken)
    {
        await RequireOtherVaultAsync(cancellationToken).ConfigureAwait(false);
        var (output, errors) = await commands.RunAsync("Get-Secret",
            new() { ["Name"] = item, ["Vault"] = vault, ["AsPlainText"] = true }, cancellationToken).ConfigureAwait(false);
        if (output.Count > 0)
        {
            return (output[0] is PSObject wrapper ? wrapper.BaseObject : output[0]) switch
            {
                string text => text,
                SecureString secret => new NetworkCredential("", secret).Password,
                _ => throw new McpAuthException(ErrorReason.VaultCorrupt,
                    $"The secret '{item}' in the vault '{vault}' was not stored by Mcpsm, because it is not text. It was not changed.",
                    $"Remove-Secret -Name {item} -Vault '{vault}', then sign in again"),
            };
        }
        // A vault that failed also reports GetSecretNotFound. Only if it is the only error does the secret not exist.
        return errors.All(e => Is(e, "GetSecretNotFound")) ? null : throw Failed("read", errors);
    }

    public async Task SetAsync(string item, string text, CancellationToken cancellationToken)
    {
        await RequireOtherVaultAsync(cancellationToken).ConfigureAwait(false);
        var (_, errors) = await commands.RunAsync("Set-Secret",
            new() { ["Name"] = item, ["Secret"] = text, ["Vault"] = vault, ["Confirm"] = false, ["WhatIf"] = false },
            cancellationToken).ConfigureAwait(false);
        if (errors.Count > 0)
        {
            throw Failed("written to", errors);
        }
        // Some extension vaults silently discard a secret that they cannot store.
        if (await GetAsync(item, cancellationToken).ConfigureAwait(false) != text)
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable,
                $"The vault '{vault}' accepted a secret, but does not return it.", "Choose another vault: Set-McpVault file");
        }
    }

    public async Task<bool> RemoveAsync(string item, CancellationToken cancellationToken)
    {
        if (await GetAsync(item, cancellationToken).ConfigureAwait(false) is null)
        {
            return false;
        }
        var (_, errors) = await commands.RunAsync("Remove-Secret",
            new() { ["Name"] = item, ["Vault"] = vault, ["Confirm"] = false, ["WhatIf"] = false },
            cancellationToken).ConfigureAwait(false);
        return errors.Count == 0 ? true : throw Failed("written to", errors);
    }

    public async Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken)
    {
        await RequireOtherVaultAsync(cancellationToken).ConfigureAwait(false);
        var (output, errors) = await commands.RunAsync("Get-SecretInfo",
            new() { ["Name"] = "mcpsm*", ["Vault"] = vault }, cancellationToken).ConfigureAwait(false);
        return errors.Count == 0
            ? [.. output.Select(o => Text(o, "Name")).OfType<string>().Where(n => ItemPrefixes.Any(p => n.StartsWith(p, StringComparison.Ordinal)))]
            : throw Failed("read", errors);
    }

    internal static string? Text(object value, string name) => PSObject.AsPSObject(value).Properties[name]?.Value?.ToString();

    /// <summary>Returns whether a registered vault is Mcpsm itself. Mcpsm cannot store credentials in it, because it would call itself.</summary>
    internal static bool IsMcpsm(object registration) =>
        string.Equals(Text(registration, "ModuleName"), "Mcpsm", StringComparison.OrdinalIgnoreCase);

    /// <summary>Fails if the vault is Mcpsm itself or is not registered. Checked before the first use, so that a user does not sign in for nothing.</summary>
    private async Task RequireOtherVaultAsync(CancellationToken cancellationToken)
    {
        if (_isNotMcpsm)
        {
            return;
        }
        var (output, errors) = await commands.RunAsync("Get-SecretVault", new() { ["Name"] = vault }, cancellationToken).ConfigureAwait(false);
        if (output.Count == 0)
        {
            throw errors.Count > 0 && !errors.Any(e => Is(e, "GetSecretVaultNotFound")) ? Failed("found", errors) : NotRegistered();
        }
        if (output.Any(IsMcpsm))
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable,
                $"The vault '{vault}' is Mcpsm itself, so Mcpsm cannot store credentials in it.", "Choose another vault: Get-McpVault");
        }
        _isNotMcpsm = true;
    }

    private McpAuthException NotRegistered() => new(ErrorReason.VaultUnavailable,
        $"The SecretManagement vault '{vault}' is not registered.", "Register it with Register-SecretVault, or choose another vault: Get-McpVault")
    { IsVaultGone = true };

    private McpAuthException Failed(string verb, IReadOnlyList<ErrorRecord> errors)
    {
        if (errors.Any(e => Is(e, "GetSecretVaultNotFound")))
        {
            return NotRegistered();
        }
        if (errors.Any(e => Causes(e.Exception).Any(cause => cause.GetType().Name == "PasswordRequiredException")))
        {
            return new McpAuthException(ErrorReason.VaultLocked, $"The SecretManagement vault '{vault}' is locked.",
                $"Unlock-SecretVault -Name '{vault}'");
        }
        // The message of an extension may contain the secret, so show only the error ids.
        var ids = string.Join(", ", errors.Select(e => e.FullyQualifiedErrorId.Split(',')[0]).Distinct().Select(UntrustedText.Sanitize));
        return new McpAuthException(ErrorReason.VaultUnavailable, $"The SecretManagement vault '{vault}' cannot be {verb} ({ids}).",
            $"Test-SecretVault -Name '{vault}' -Verbose");
    }

    private static bool Is(ErrorRecord error, string id) =>
        error.FullyQualifiedErrorId == id || error.FullyQualifiedErrorId.StartsWith(id + ",", StringComparison.Ordinal);

    private static IEnumerable<Exception> Causes(Exception? e)
    {
        for (; e is not null; e = e.InnerException)
        {
            yield return e;
            if (e is IContainsErrorRecord { ErrorRecord.Exception: { } inner } && inner != e)
            {
                yield return inner;
            }
        }
    }
}
