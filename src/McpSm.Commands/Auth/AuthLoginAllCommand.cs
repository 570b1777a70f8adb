using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Core.Servers;

namespace McpSm.Commands.Auth;

/// <summary><c>auth login-all</c>: makes sure that every server has a valid credential.</summary>
internal sealed class AuthLoginAllCommand : McpsmSubcommand
{
    private readonly LoginOptions _options = new();
    private readonly Option<int> _throttle = NumberOption.ThrottleLimit(8);

    public AuthLoginAllCommand(CommandContext context) : base(context, "login-all", "Sign in to all servers, or renew their tokens")
    {
        _options.AddTo(this, forOneServer: false);
        Add(_throttle);
        Examples = ["mcpsm auth login-all", "mcpsm auth login-all --non-interactive"];
    }

    public override bool Changes(ParseResult parsed) => true;

    public override IEnumerable<string?> FindVaults(ParseResult parsed) => FindVaultsOf(Context.Catalog.List(), parsed);

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var failures = 0;
        var servers = Context.Catalog.List().Where(s => s.OAuth != OAuthMode.Off).ToList();
        // An index that cannot be read is one error, not one for each server.
        Context.Authenticator.Status(servers, out var indexFailure);
        if (indexFailure is not null)
        {
            throw indexFailure;
        }
        await CommandContext.ForEachAsync(servers, parsed.GetValue(_throttle), cancellationToken, async (server, cancel) =>
        {
            var code = await Context.RunAsync(() => _options.EnsureAsync(server, parsed, Context, cancel), server.Name).ConfigureAwait(false);
            Interlocked.Add(ref failures, code == ExitCode.Done ? 0 : 1);
        }).ConfigureAwait(false);
        if (servers.Count == 0)
        {
            Context.Hint("There are no servers to sign in to. Add one with: mcpsm add <name> --type http --url <url>");
        }
        return failures == 0 ? ExitCode.Done : ExitCode.Failed;
    }
}
