using System.Collections;
using System.Management.Automation;
using System.Net;
using System.Security;
using McpSm.Core;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;

namespace McpSm.PowerShell.SecretManagement;

/// <summary>Gives a server's valid token, or a secret as the type it was set as; nothing where there is neither.</summary>
[Cmdlet(VerbsCommon.Get, "ServedSecret")]
[OutputType(typeof(string), typeof(SecureString))]
public sealed class GetServedSecretCommand : ServedSecretCommand
{
    [Parameter]
    public string Name { get; set; } = "";

    protected override void ProcessRecord() => Serve(Name, async (vault, cancellationToken) =>
    {
        if (await Authenticator.Secrets.GetAsync(Name, vault, cancellationToken).ConfigureAwait(false) is var (kind, text))
        {
            Write(kind == SecretKind.String ? text : new NetworkCredential("", text).SecurePassword);
        }
    });
}

/// <summary>Keeps a secret: text alone.</summary>
[Cmdlet(VerbsCommon.Set, "ServedSecret")]
public sealed class SetServedSecretCommand : ServedSecretCommand
{
    [Parameter]
    public string Name { get; set; } = "";

    [Parameter]
    [AllowNull]
    public object? Secret { get; set; }

    [Parameter]
    public Hashtable? Metadata { get; set; }

    protected override void ProcessRecord() => Serve(Name, (vault, cancellationToken) =>
    {
        var (kind, text) = (Secret is PSObject wrapped ? wrapped.BaseObject : Secret) switch
        {
            string plain => (SecretKind.String, plain),
            SecureString secure => (SecretKind.SecureString, new NetworkCredential("", secure).Password),
            // Also what SecretManagement hands on where it could not read the secret that it was to copy.
            null => throw new McpAuthException(ErrorReason.InvalidValue, "There is no secret to keep: it is null."),
            var other => throw new McpAuthException(ErrorReason.InvalidValue,
                $"A secret of type {other.GetType().Name} cannot be kept here: String and SecureString can be.", "Choose another vault: Get-SecretVault"),
        };
        return Authenticator.Secrets.SetAsync(Name, kind, text, Served.Plain(Metadata), vault, cancellationToken);
    });
}

/// <summary>Removes a secret.</summary>
[Cmdlet(VerbsCommon.Remove, "ServedSecret")]
public sealed class RemoveServedSecretCommand : ServedSecretCommand
{
    [Parameter]
    public string Name { get; set; } = "";

    protected override void ProcessRecord() =>
        Serve(Name, (vault, cancellationToken) => Authenticator.Secrets.RemoveAsync(Name, vault, cancellationToken));
}

/// <summary>Lists servers that have a credential, and secrets.</summary>
[Cmdlet(VerbsCommon.Get, "ServedSecretInfo")]
[OutputType(typeof(ServedSecret))]
public sealed class GetServedSecretInfoCommand : ServedSecretCommand
{
    [Parameter]
    public string? Filter { get; set; }

    protected override void ProcessRecord() => Serve(null, async (vault, cancellationToken) =>
    {
        var pattern = WildcardPattern.Get(string.IsNullOrEmpty(Filter) ? "*" : Filter, WildcardOptions.IgnoreCase);
        var servers = Authenticator.Secrets.ListServers(pattern.IsMatch);
        Write(servers);
        // A name of one server is that of no secret: its vault need not be opened to look.
        if (servers.Count == 1 && !WildcardPattern.ContainsWildcardCharacters(Filter))
        {
            return;
        }
        Write(await Authenticator.Secrets.ListSecretsAsync(pattern.IsMatch, vault, cancellationToken).ConfigureAwait(false));
    });

    // The servers are listed although the vault of the secrets is locked: whatever ended SecretManagement's script
    // would take them away again.
    private protected override void Report(ErrorRecord error) => Pump.Post(() => WriteError(error));

    private void Write(IReadOnlyList<ServedSecret> secrets)
    {
        foreach (var secret in secrets)
        {
            Write((object)secret);
        }
    }
}

/// <summary>Replaces a secret's metadata.</summary>
[Cmdlet(VerbsCommon.Set, "ServedSecretInfo")]
public sealed class SetServedSecretInfoCommand : ServedSecretCommand
{
    [Parameter]
    public string Name { get; set; } = "";

    [Parameter]
    public Hashtable? Metadata { get; set; }

    protected override void ProcessRecord() => Serve(Name,
        (vault, cancellationToken) => Authenticator.Secrets.SetMetadataAsync(Name, Served.Plain(Metadata), vault, cancellationToken));
}

/// <summary>Whether the vault keeps what it is given; an error says why not.</summary>
[Cmdlet(VerbsDiagnostic.Test, "ServedVault")]
[OutputType(typeof(bool))]
public sealed class TestServedVaultCommand : ServedSecretCommand
{
    protected override void ProcessRecord()
    {
        var works = false;
        Serve(null, async (vault, cancellationToken) =>
        {
            await Authenticator.Secrets.CheckAsync(vault, cancellationToken).ConfigureAwait(false);
            works = true;
        });
        WriteObject(works);
    }
}

/// <summary>Opens the encrypted file for the rest of this process.</summary>
[Cmdlet(VerbsCommon.Unlock, "ServedVault")]
public sealed class UnlockServedVaultCommand : ServedSecretCommand
{
    [Parameter]
    public SecureString? Password { get; set; }

    protected override void ProcessRecord() => Serve(null, (_, _) =>
    {
        if (!Authenticator.Secrets.Unlock(new NetworkCredential("", Password).Password))
        {
            Warn("Nothing was unlocked: Mcpsm's encrypted file is under no passphrase. The operating system unlocks its own store.");
        }
        return Task.CompletedTask;
    });
}

internal static class Served
{
    public static IReadOnlyDictionary<string, object?>? Plain(Hashtable? metadata) =>
        metadata?.Cast<DictionaryEntry>().ToDictionary(m => $"{m.Key}", m => m.Value is PSObject wrapped ? wrapped.BaseObject : m.Value);
}
