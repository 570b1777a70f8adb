using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Servers;
using McpSm.Core;
using McpSm.Core.Servers;

namespace McpSm.Commands.Vaults;

/// <summary><c>import</c>: moves the plaintext secrets of the npm tool <c>mcp-server-manager</c> to the vault.</summary>
internal sealed class ImportCommand : ServerSubcommand
{
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only show what would be done" };
    private readonly Option<bool> _force = new("--force") { Description = "Also where the vault has something else in its place" };
    private readonly Option<string?> _vault = VaultOption.Create("The vault to keep it in");

    public ImportCommand(CommandContext context) : base(context, "import", "Take the npm tool's plaintext secrets into the vault", isOptional: true)
    {
        Add(_dryRun);
        Add(_force);
        Add(_vault);
        Examples = ["mcpsm import --dry-run", "mcpsm import my-api"];
    }

    public override bool Changes(ParseResult parsed) => !parsed.GetValue(_dryRun);

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var (found, failures) = (false, 0);
        foreach (var server in GetServers(parsed))
        {
            var secrets = Context.Authenticator.Plaintext.Find(server);
            found |= secrets.Count > 0;
            if (parsed.GetValue(_dryRun))
            {
                foreach (var secret in secrets)
                {
                    Context.Print($"{server.Name}: would take the {secret} into the vault.");
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
            Context.Warn($"oauth-tokens.json has tokens of '{unknown}', which is no server here. They were left.");
        }
        if (!found)
        {
            Context.Hint("No secret lies in plaintext.");
        }
        return failures == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private async Task<int> ImportAsync(McpServer server, ParseResult parsed, CancellationToken cancellationToken)
    {
        var code = ExitCode.Done;
        foreach (var result in await Context.Authenticator.Plaintext.RunAsync(server, parsed.GetValue(_vault), parsed.GetValue(_force), cancellationToken).ConfigureAwait(false))
        {
            var secret = new PlaintextSecret(result.Kind, result.Header, result.File);
            if (result.Removed)
            {
                Context.Succeed(result.Vault is null ? $"{server.Name}: {secret} removed; {result.Reason}." : $"{server.Name}: {secret} taken into the vault '{result.Vault}'.");
            }
            else
            {
                code = ExitCode.Failed;
                Context.Warn($"{server.Name}: {secret} was left: {result.Reason}.");
            }
        }
        return code;
    }
}
