using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Servers;
using McpSm.Core;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Commands.Vaults;

/// <summary><c>import</c>: moves the plaintext secrets of npm tools to the vault: of <c>mcp-server-manager</c>, or of <c>mcp-remote</c>.</summary>
internal sealed class ImportCommand : ServerSubcommand
{
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Show what the import would do, and change nothing" };
    private readonly Option<bool> _force = new("--force") { Description = "Overwrite different secrets in the vault" };
    private readonly Option<string?> _from = new("--from") { Description = "mcp-server-manager (default) or mcp-remote", HelpName = "tool" };
    private readonly Option<string[]> _urls = new("--url", "-u") { Description = "URL that mcp-remote was started with", HelpName = "url" };
    private readonly Option<string?> _vault = VaultOption.Create("Vault to store the secrets in");

    public ImportCommand(CommandContext context) : base(context, "import", "Move plaintext secrets of npm tools to the vault", isOptional: true)
    {
        _from.AcceptOnlyFromAmong("mcp-server-manager", McpRemoteImport.Source);
        Add(_from);
        Add(_urls);
        Add(_dryRun);
        Add(_force);
        Add(_vault);
        Examples =
        [
            "mcpsm import --dry-run",
            "mcpsm import my-api",
            "mcpsm import --from mcp-remote --dry-run",
            "mcpsm import --from mcp-remote --url https://example.com/mcp",
        ];
    }

    public override bool Changes(ParseResult parsed) => !parsed.GetValue(_dryRun);

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(_from) == McpRemoteImport.Source)
        {
            return await new McpRemoteImport(Context, parsed.GetValue(_dryRun), parsed.GetValue(_force), parsed.GetValue(_vault))
                .RunAsync(parsed.GetValue(_urls) ?? [], parsed.GetValue(Server) is null ? null : GetServers(parsed), cancellationToken).ConfigureAwait(false);
        }
        if (parsed.GetResult(_urls) is { Implicit: false })
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "--url requires --from mcp-remote.");
        }
        var (found, failures) = (false, 0);
        foreach (var server in GetServers(parsed))
        {
            var secrets = Context.Authenticator.Plaintext.Find(server);
            found |= secrets.Count > 0;
            if (parsed.GetValue(_dryRun))
            {
                foreach (var secret in secrets)
                {
                    Context.Print($"{server.Name}: would move the {secret} to the vault.");
                }
            }
            else if (secrets.Count > 0)
            {
                var code = await Context.RunAsync(() => ImportAsync(server, parsed, cancellationToken), server.Name).ConfigureAwait(false);
                if (code == ExitCode.Cancelled)
                {
                    return code;
                }
                failures += code == ExitCode.Done ? 0 : 1;
            }
        }
        foreach (var unknown in parsed.GetValue(Server) is null ? Context.Authenticator.Plaintext.FindUnknownServers() : [])
        {
            Context.Warn($"oauth-tokens.json has tokens of '{unknown}', which is not in the catalog. They were not moved.");
        }
        if (!found)
        {
            Context.Hint("No plaintext secrets found.");
        }
        return failures == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private async Task<int> ImportAsync(McpServer server, ParseResult parsed, CancellationToken cancellationToken)
    {
        var code = ExitCode.Done;
        var results = await Context.Authenticator.Plaintext.RunAsync(server, parsed.GetValue(_vault), parsed.GetValue(_force), cancellationToken)
            .ConfigureAwait(false);
        foreach (var result in results)
        {
            var secret = new PlaintextSecret(result.Kind, result.Header, result.File);
            if (result.Removed)
            {
                Context.Succeed(result.Vault is null ? $"{server.Name}: {secret} removed; {result.Reason}."
                    : $"{server.Name}: {secret} moved to the vault '{result.Vault}'.");
            }
            else
            {
                code = ExitCode.Failed;
                Context.Warn($"{server.Name}: {secret} was not moved: {result.Reason}.");
            }
        }
        return code;
    }
}
