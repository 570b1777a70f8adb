using System.CommandLine;
using McpSm.Commands.Output;
using McpSm.Commands.Servers;
using McpSm.Core;

namespace McpSm.Commands.Auth;

/// <summary><c>auth status</c>: shows what is stored for each server, without a request and without opening a vault.</summary>
internal sealed class AuthStatusCommand : ServerSubcommand
{
    private const int MaxDetails = 5;
    private const int MinNameWidth = 16;

    private readonly Option<bool> _json = new("--json") { Description = "Print a JSON array; expiresIn is in seconds" };

    public AuthStatusCommand(CommandContext context) : base(context, "status", "Show the sign-in status of servers", isOptional: true)
    {
        Add(_json);
        Examples = ["mcpsm auth status", "mcpsm auth status my-api --json"];
    }

    public override bool Changes(ParseResult parsed) => false;

    public override IEnumerable<string?> FindVaults(ParseResult parsed) => [];

    protected override Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var statuses = Context.Authenticator.Status(GetServers(parsed), out var failure);
        if (parsed.GetValue(_json))
        {
            var now = Context.AppEnvironment.Time.GetUtcNow();
            JsonOutput.Array(Context.Console.Out, statuses, (writer, status) => JsonOutput.Status(writer, status, now));
        }
        else if (statuses.Count == 0)
        {
            Context.HintNoServers();
        }
        else
        {
            // If the index cannot be read, one error says why. Remedies for each server would be wrong.
            Print(statuses, withRemedies: failure is null);
        }
        if (failure is not null)
        {
            Context.Fail(failure);
            return Task.FromResult(ExitCode.Failed);
        }
        return Task.FromResult(parsed.GetValue(Server) is not null && NeedsSignIn(statuses[0]) ? ExitCode.SignInNeeded : ExitCode.Done);
    }

    private static bool NeedsSignIn(McpAuthStatus status) => status.State switch
    {
        AuthState.NotAuthenticated => true,
        AuthState.Expired => status is not { CanRenew: true, RenewalRefusedAt: null },
        _ => false,
    };

    private void Print(IReadOnlyList<McpAuthStatus> statuses, bool withRemedies)
    {
        var width = Math.Max(MinNameWidth, statuses.Max(s => DisplayWidth.Measure(s.Name)) + 2);
        var now = Context.AppEnvironment.Time.GetUtcNow();
        Context.Print("Authentication Status:");
        Context.Print("");
        foreach (var status in statuses)
        {
            Context.Print($"  {status.Name.PadColumns(width)}", StatusText.Describe(status, now));
        }
        foreach (var status in statuses.Where(s => s.PlaintextFile is not null).Take(MaxDetails))
        {
            Context.Hint($"'{status.Name}' has a secret in plaintext in {status.PlaintextFile}.");
        }
        if (withRemedies)
        {
            PrintRemedies([.. statuses.Select(s => s.Remedy).OfType<string>()]);
        }
    }

    private void PrintRemedies(IReadOnlyList<string> remedies)
    {
        if (remedies.Count == 0)
        {
            return;
        }
        Context.Hint("");
        Context.Hint("Next:");
        foreach (var remedy in remedies.Take(MaxDetails))
        {
            Context.Hint($"  {remedy}");
        }
        if (remedies.Count > MaxDetails)
        {
            Context.Hint("  mcpsm auth login-all");
        }
    }
}
