using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Servers;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Commands.Auth;

/// <summary>The commands under <c>auth</c>, and <c>auth &lt;server&gt;</c>, a short form of <c>auth login &lt;server&gt;</c>.</summary>
internal sealed class AuthCommand : ServerSubcommand
{
    private readonly LoginOptions _login = new();

    public AuthCommand(CommandContext context) : base(context, "auth", "Sign in and out, and manage tokens", isOptional: true)
    {
        Server.Description = "Server to sign in to, or its URL";
        _login.AddTo(this, forOneServer: true);
        Add(new AuthStatusCommand(context));
        Add(new AuthLoginCommand(context));
        Add(new AuthLogoutCommand(context));
        Add(new AuthLoginAllCommand(context));
        Add(new AuthRefreshCommand(context));
        Add(new AuthSetCommand(context));
        Add(new AuthRevokeCommand(context));
        Add(new AuthForgetCommand(context));
        Add(new AuthTokenCommand(context));
        Add(new AuthRejectCommand(context));
        Examples = ["mcpsm auth my-api", "mcpsm auth status"];
    }

    public override bool Changes(ParseResult parsed) => parsed.GetValue(Server) is not null;

    public override IEnumerable<string?> FindVaults(ParseResult parsed) => Changes(parsed) ? base.FindVaults(parsed) : [];

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(Server) is not { } name)
        {
            return UsageError.Report("mcpsm auth needs a command or a server.", "mcpsm auth --help", Context);
        }
        var all = Context.Catalog.List();
        if (ServerLookup.Find(all, name) is not null || ServerLookup.IsUrl(name))
        {
            return await _login.RunAsync(name, parsed, Context, cancellationToken).ConfigureAwait(false);
        }
        if (ServerLookup.Failure(all, name) is { Reason: ErrorReason.InvalidValue } ambiguous)
        {
            throw ambiguous;
        }
        var words = Subcommands.Select(c => c.Name).Concat(all.Select(s => s.Name));
        var suggestion = UsageError.DidYouMean(parsed.RootCommandResult.Command, name, words);
        return UsageError.Report($"The argument is neither a command of 'mcpsm auth' nor a server.{suggestion}",
            all.Count == 0 ? "mcpsm auth --help" : "mcpsm list", Context);
    }
}
