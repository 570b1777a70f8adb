using System.Management.Automation;
using System.Net;
using System.Security;
using McpSm.Core.Errors;
using McpSm.Core.Vaults;

namespace McpSm.PowerShell.SecretManagement;

/// <summary>One registered vault of SecretManagement, whatever stands behind it.</summary>
internal sealed class SecretManagementVault(string vault, SecretManagementCommands commands) : IVault
{
    // Of servers, registrations, identity providers, and of checks that were killed. What else has such a name is the user's.
    private static readonly string[] Ours = ["mcpsm-", "mcpsmclient-", "mcpsmidp-", "mcpsmcheck-"];

    private bool _isAnothers;

    public string Name => VaultSelector.SecretManagementPrefix + vault;

    public string Protection => $"Kept by the SecretManagement vault '{vault}', as its extension module protects it.";

    public async Task<string?> GetAsync(string item, CancellationToken cancellationToken)
    {
        await RefuseOurOwnAsync(cancellationToken).ConfigureAwait(false);
        var (output, problems) = await commands.RunAsync("Get-Secret",
            new() { ["Name"] = item, ["Vault"] = vault, ["AsPlainText"] = true }, cancellationToken).ConfigureAwait(false);
        if (output.Count > 0)
        {
            return (output[0] is PSObject wrapped ? wrapped.BaseObject : output[0]) switch
            {
                string text => text,
                SecureString secret => new NetworkCredential("", secret).Password,
                _ => throw new McpAuthException(ErrorReason.VaultCorrupt,
                    $"The secret '{item}' in the vault '{vault}' is not text, and so none of ours. It was not changed.",
                    $"Remove-Secret -Name {item} -Vault '{vault}', then sign in again"),
            };
        }
        // A vault that failed also reports that there is no such secret: nothing less than that alone says so.
        return problems.All(p => Is(p, "GetSecretNotFound")) ? null : throw Failed("read", problems);
    }

    public async Task SetAsync(string item, string text, CancellationToken cancellationToken)
    {
        await RefuseOurOwnAsync(cancellationToken).ConfigureAwait(false);
        var (_, problems) = await commands.RunAsync("Set-Secret",
            new() { ["Name"] = item, ["Secret"] = text, ["Vault"] = vault, ["Confirm"] = false, ["WhatIf"] = false },
            cancellationToken).ConfigureAwait(false);
        if (problems.Count > 0)
        {
            throw Failed("written to", problems);
        }
        // Some extension vaults swallow what they cannot keep, without a word.
        if (await GetAsync(item, cancellationToken).ConfigureAwait(false) != text)
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable,
                $"The vault '{vault}' took the secret and does not give it back.", "Choose another vault: Set-McpVault file");
        }
    }

    public async Task<bool> RemoveAsync(string item, CancellationToken cancellationToken)
    {
        if (await GetAsync(item, cancellationToken).ConfigureAwait(false) is null)
        {
            return false;
        }
        var (_, problems) = await commands.RunAsync("Remove-Secret",
            new() { ["Name"] = item, ["Vault"] = vault, ["Confirm"] = false, ["WhatIf"] = false },
            cancellationToken).ConfigureAwait(false);
        return problems.Count == 0 ? true : throw Failed("written to", problems);
    }

    public async Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken)
    {
        await RefuseOurOwnAsync(cancellationToken).ConfigureAwait(false);
        var (output, problems) = await commands.RunAsync("Get-SecretInfo",
            new() { ["Name"] = "mcpsm*", ["Vault"] = vault }, cancellationToken).ConfigureAwait(false);
        return problems.Count == 0
            ? [.. output.Select(o => Text(o, "Name")).OfType<string>().Where(n => Ours.Any(o => n.StartsWith(o, StringComparison.Ordinal)))]
            : throw Failed("read", problems);
    }

    internal static string? Text(object of, string name) => PSObject.AsPSObject(of).Properties[name]?.Value?.ToString();

    /// <summary>Our own extension vault would be asked by us, and ask us.</summary>
    internal static bool IsOurOwn(object registered) =>
        string.Equals(Text(registered, "ModuleName"), "Mcpsm", StringComparison.OrdinalIgnoreCase);

    /// <summary>Before the first call of all: who is to sign in must not do so for a vault that then keeps nothing.</summary>
    private async Task RefuseOurOwnAsync(CancellationToken cancellationToken)
    {
        if (_isAnothers)
        {
            return;
        }
        var (output, problems) = await commands.RunAsync("Get-SecretVault", new() { ["Name"] = vault }, cancellationToken).ConfigureAwait(false);
        if (output.Count == 0)
        {
            throw problems.Count > 0 && !problems.Any(p => Is(p, "GetSecretVaultNotFound")) ? Failed("found", problems) : NotRegistered();
        }
        if (output.Any(IsOurOwn))
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable,
                $"The vault '{vault}' is Mcpsm itself, and can keep nothing for it.", "Choose another vault: Get-McpVault");
        }
        _isAnothers = true;
    }

    private McpAuthException NotRegistered() => new(ErrorReason.VaultUnavailable,
        $"There is no SecretManagement vault '{vault}' registered.", "Register-SecretVault, or choose another: Get-McpVault")
    { IsVaultGone = true };

    private McpAuthException Failed(string verb, IReadOnlyList<ErrorRecord> problems)
    {
        if (problems.Any(p => Is(p, "GetSecretVaultNotFound")))
        {
            return NotRegistered();
        }
        if (problems.Any(p => Causes(p.Exception).Any(e => e.GetType().Name == "PasswordRequiredException")))
        {
            return new McpAuthException(ErrorReason.VaultLocked, $"The SecretManagement vault '{vault}' is locked.",
                $"Unlock-SecretVault -Name '{vault}'");
        }
        // An extension's message may quote the secret it was given: only its kind is told.
        var kinds = string.Join(", ", problems.Select(p => p.FullyQualifiedErrorId.Split(',')[0]).Distinct().Select(UntrustedText.Sanitize));
        return new McpAuthException(ErrorReason.VaultUnavailable, $"The SecretManagement vault '{vault}' cannot be {verb} ({kinds}).",
            $"Test-SecretVault -Name '{vault}' -Verbose");
    }

    private static bool Is(ErrorRecord problem, string id) =>
        problem.FullyQualifiedErrorId == id || problem.FullyQualifiedErrorId.StartsWith(id + ",", StringComparison.Ordinal);

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
