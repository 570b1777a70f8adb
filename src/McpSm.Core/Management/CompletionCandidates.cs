using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;

namespace McpSm.Core.Management;

/// <summary>
/// What a key press may complete, from the files of the folder alone: no network and no vault. A file that cannot be
/// read gives nothing: a key press must not show an error, and the command that is being typed will report it.
/// </summary>
internal sealed class CompletionCandidates(AppEnvironment environment)
{
    /// <summary>
    /// Servers by their names; by the id, which every shell takes as it is, if the name is not a plain word or means
    /// another server.
    /// </summary>
    /// <param name="plain">Whether only plain words are wanted.</param>
    public IReadOnlyList<(McpServer Server, CompletionCandidate Known)> Servers(bool plain)
    {
        var all = Catalog();
        // By hand, not by ServerLookup.Find: that looks through all for each.
        var ids = all.Select(s => s.Id).ToHashSet(StringComparer.Ordinal);
        var names = all.CountBy(s => s.Name, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        return [.. all.Select(s => (s, new CompletionCandidate(
            (s.Name == s.Id || (names[s.Name] == 1 && !ids.Contains(s.Name))) && (!plain || IsPlain(s.Name)) ? s.Name : s.Id,
            UntrustedText.Sanitize(s.Name == s.Id ? s.Url : $"{s.Name}: {s.Url}"))))];
    }

    /// <summary>The vaults of this system, and those that were named before.</summary>
    public IReadOnlyList<CompletionCandidate> Vaults()
    {
        var kept = Facts().Where(f => f.Vault is not null).CountBy(f => f.Vault!, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        var used = environment.Variable(VaultSelector.Variable) ?? TryOrDefault(() => new Configuration.Settings(environment).Vault, null);
        IEnumerable<string> names = [.. VaultSelector.NamesHere, .. used is null ? [] : new[] { used }, .. kept.Keys];
        return Complete(names.Select(name => (name, kept.GetValueOrDefault(name) switch
        {
            0 => "keeps no credential",
            1 => "keeps the credential of 1 server",
            var several => $"keeps the credentials of {several} servers",
        } + (name == used ? "; in use" : ""))));
    }

    /// <summary>The settings that the user changes by name.</summary>
    public static IReadOnlyList<CompletionCandidate> Settings() => Complete(UserSetting.All.Select(setting => (setting.Name, setting.Description)));

    /// <summary>The issuers that servers are pinned to or signed in at.</summary>
    public IReadOnlyList<CompletionCandidate> Issuers() => UsedBy((server, info) => [server.Issuer, info?.Issuer]);

    /// <summary>The identity providers that are set or signed in at.</summary>
    public IReadOnlyList<CompletionCandidate> IdentityProviders() =>
        Complete(new[] { TryOrDefault(() => new Configuration.Settings(environment).IdentityProvider?.Issuer, null) }.OfType<string>()
        .Select(issuer => (issuer, "set for all servers that take its word"))
        .Concat(TryOrDefault(() => new CredentialIndex(environment).ReadIdentities().Values.Select(i => (i.Issuer, "signed in at")).ToList(), [])));

    /// <summary>The scopes that are asked for or were granted.</summary>
    public IReadOnlyList<CompletionCandidate> Scopes() => UsedBy((server, info) => [.. server.Scopes, .. info?.Scopes ?? []]);

    /// <summary>The environment variables of this process, by their names alone: a value may be a secret.</summary>
    public IReadOnlyList<CompletionCandidate> Variables() => Complete(environment.VariableNames()
        .Order(StringComparer.OrdinalIgnoreCase).Select(name => (name, "environment variable")));

    /// <summary>Letters, digits, dashes, dots and underscores, which no shell reads as anything else.</summary>
    private static bool IsPlain(string name) => char.IsLetterOrDigit(name[0]) && name.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.');

    private List<CompletionCandidate> UsedBy(Func<McpServer, CredentialInfo?, IEnumerable<string?>> of)
    {
        var facts = TryOrDefault(() => new CredentialIndex(environment).Read(), new Dictionary<string, CredentialInfo>());
        return Complete(Catalog().SelectMany(s => of(s, facts.GetValueOrDefault(s.Id)).Distinct().Select(text => (Text: text, s.Name)))
            .Where(u => !string.IsNullOrEmpty(u.Text)).GroupBy(u => u.Text!, u => u.Name, StringComparer.Ordinal)
            .Select(u => (u.Key, $"used by {string.Join(", ", u.Take(3))}{(u.Skip(3).Any() ? ", …" : "")}")));
    }

    private IReadOnlyList<McpServer> Catalog() => TryOrDefault(() => new ServerCatalog(environment).List(), []);

    private IEnumerable<CredentialInfo> Facts() => TryOrDefault(() => new CredentialIndex(environment).Read().Values, []);

    /// <summary>Without what a line cannot hold: the files may be another program's.</summary>
    private static List<CompletionCandidate> Complete(IEnumerable<(string Text, string About)> names) =>
        [.. names.Where(n => n.Text == UntrustedText.Sanitize(n.Text)).DistinctBy(n => n.Text)
            .Select(n => new CompletionCandidate(n.Text, UntrustedText.Sanitize(n.About)))];

    private static T TryOrDefault<T>(Func<T> read, T otherwise)
    {
        try
        {
            return read();
        }
        catch (McpAuthException)
        {
            return otherwise;
        }
    }
}
