using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Output;
using McpSm.Core;
using McpSm.Core.Errors;

namespace McpSm.Commands.Identity;

/// <summary><c>identity</c>: shows the identity providers, configured or signed in to; and the commands under it.</summary>
internal sealed class IdentityCommand : McpsmSubcommand
{
    private readonly Option<bool> _json = new("--json") { Description = "Print a JSON array; expiresIn is in seconds" };

    public IdentityCommand(CommandContext context) : base(context, "identity", "Show or set your organisation's identity provider")
    {
        Add(_json);
        Add(new IdentityUseCommand(context));
        Add(new IdentityLoginCommand(context));
        Add(new IdentityLogoutCommand(context));
        Add(new IdentityNoneCommand(context));
        Examples = ["mcpsm identity", "mcpsm identity --json"];
    }

    public override bool Changes(ParseResult parsed) => false;

    protected override Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var providers = Context.Authenticator.IdentityProviders.List();
        var now = Context.AppEnvironment.Time.GetUtcNow();
        if (parsed.GetValue(_json))
        {
            JsonOutput.Array(Context.Console.Out, providers, (writer, provider) => JsonOutput.IdentityProvider(writer, provider, now));
        }
        else
        {
            Print(providers, now);
        }
        return Task.FromResult(ExitCode.Done);
    }

    private void Print(IReadOnlyList<McpIdentityProvider> providers, DateTimeOffset now)
    {
        foreach (var provider in providers)
        {
            Context.Print($"{(provider.IsSet ? "*" : " ")} {UntrustedText.Sanitize(provider.Issuer)}");
            Context.Print("    ", Describe(provider, now));
            if (provider.Servers.Count > 0)
            {
                Context.Print($"    Signs in to: {string.Join(", ", provider.Servers)}");
            }
        }
        if (providers.Count == 0)
        {
            Context.Hint("No identity provider is set. Set one with: mcpsm identity use <issuer> --client-id <id>");
        }
        else if (providers[0] is { IsSet: true, Remedy: { } remedy })
        {
            Context.Hint("Next:");
            Context.Hint("  " + remedy);
        }
    }

    private static string Describe(McpIdentityProvider provider, DateTimeOffset now)
    {
        if (!provider.SignedIn)
        {
            return $"{StatusText.FailureSymbol} Not signed in";
        }
        var end = provider.CanRenew ? "renewed automatically" : $"expires: {StatusText.FormatTime(provider.ExpiresAt!.Value, now)}";
        return $"{StatusText.SuccessSymbol} Signed in ({end})";
    }
}
