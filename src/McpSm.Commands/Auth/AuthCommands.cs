using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Output;
using McpSm.Commands.Remedies;
using McpSm.Core;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;

namespace McpSm.Commands.Auth;

/// <summary><c>auth status|login|logout|login-all|refresh|set|revoke|forget|token|reject</c>, and <c>auth &lt;server&gt;</c>.</summary>
internal static class AuthCommands
{
    public static void AddTo(Command root, CommandContext context)
    {
        var auth = new Command("auth", "Sign in and out, and use tokens");
        var server = new Argument<string?>("server") { Description = "The server to sign in to, or its URL", Arity = ArgumentArity.ZeroOrOne };
        var login = new LoginOptions();
        auth.Add(server);
        login.AddTo(auth, ofOne: true);
        auth.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            if (parsed.GetValue(server) is not { } name)
            {
                return UsageError.Report("mcpsm auth needs a command or a server.", "mcpsm auth --help", context);
            }
            var all = context.Catalog.List();
            if (ServerLookup.Find(all, name) is null && !ServerLookup.IsUrl(name))
            {
                if (ServerLookup.Failure(all, name) is { Reason: ErrorReason.InvalidValue } ambiguous)
                {
                    throw ambiguous;
                }
                return UsageError.Report("That is neither a command of 'mcpsm auth' nor a server."
                    + UsageError.DidYouMean(root, name, auth.Subcommands.Select(c => c.Name).Concat(all.Select(s => s.Name))),
                    all.Count == 0 ? "mcpsm auth --help" : "mcpsm list", context);
            }
            return await login.RunAsync(name, parsed, context, cancellationToken).ConfigureAwait(false);
        }), when: parsed => parsed.GetValue(server) is not null);
        auth.Add(Status(context));
        auth.Add(Login(context));
        auth.Add(Logout(context));
        auth.Add(LoginAll(context));
        auth.Add(Refresh(context));
        auth.Add(Set(context));
        auth.Add(Revoke(context));
        auth.Add(ForgetCommand.Create(context));
        auth.Add(Token(context));
        auth.Add(Reject(context));
        root.Add(auth);
    }

    public static void WarnOfRevocation(CommandContext context, string? failure)
    {
        if (failure is not null)
        {
            context.Warn($"the tokens were removed here, but not confirmed as revoked. {failure}");
        }
    }

    /// <summary>The token itself, or a line of standard input where it is <c>-</c>: at a terminal it is asked for and not shown.</summary>
    public static async Task<string> ReadTokenAsync(string given, CommandContext context, CancellationToken cancellationToken)
    {
        if (given != "-")
        {
            context.Hint("Hint: a token on the command line is visible to others and in the shell's history; '-' reads standard input.");
            return given;
        }
        return await SecretInput.ReadAsync(context, "Token: ", "token", cancellationToken).ConfigureAwait(false);
    }

    private static Argument<string> ServerArgument() => new("server") { Description = "Its id, name or URL" };

    private static Command Status(CommandContext context)
    {
        var id = new Argument<string?>("server") { Description = "Its id, name or URL; all servers where absent", Arity = ArgumentArity.ZeroOrOne };
        var json = new Option<bool>("--json") { Description = "Print one JSON array; expiresIn is in seconds" };
        var command = new Command("status", "Show who is signed in") { id, json };
        command.SetReadAction((parsed, _) => context.RunAsync(() =>
        {
            var all = context.Catalog.List();
            var one = parsed.GetValue(id);
            var chosen = one is null ? all : [ServerLookup.Get(all, one)];
            var statuses = context.Authenticator.Status(chosen, out var failure);
            if (parsed.GetValue(json))
            {
                var now = context.AppEnvironment.Time.GetUtcNow();
                JsonOutput.Array(context.Console.Out, statuses, (writer, status) => JsonOutput.Status(writer, status, now));
            }
            else if (statuses.Count == 0)
            {
                context.Hint("There are no servers yet. Add one with: mcpsm add <name> --type http --url <url>");
            }
            else
            {
                Print(context, statuses, remedies: failure is null);
            }
            if (failure is not null)
            {
                context.Fail(failure);
                return Task.FromResult(ExitCode.Failed);
            }
            var needed = one is not null && statuses[0].State is AuthState.NotAuthenticated or AuthState.Expired
                && !(statuses[0] is { State: AuthState.Expired, CanRenew: true, RenewalRefusedAt: null });
            return Task.FromResult(one is not null && needed ? ExitCode.SignInNeeded : ExitCode.Done);
        }));
        return command;
    }

    /// <param name="remedies">Whether to say what comes next for each; not where one failure keeps all from being known.</param>
    private static void Print(CommandContext context, IReadOnlyList<McpAuthStatus> statuses, bool remedies)
    {
        var width = Math.Max(16, statuses.Max(s => DisplayWidth.Measure(s.Name)) + 2);
        var now = context.AppEnvironment.Time.GetUtcNow();
        context.Print("Authentication Status:");
        context.Print("");
        foreach (var status in statuses)
        {
            context.Print($"  {status.Name.PadColumns(width)}", StatusText.Describe(status, now));
        }
        foreach (var status in statuses.Where(s => s.PlaintextFile is not null).Take(5))
        {
            context.Hint($"A secret of '{status.Name}' lies in plaintext in {status.PlaintextFile}.");
        }
        var mend = statuses.Select(s => s.Remedy).OfType<string>().ToList();
        if (remedies && mend.Count > 0)
        {
            context.Hint("");
            context.Hint("Next:");
            foreach (var remedy in mend.Take(5))
            {
                context.Hint($"  {remedy}");
            }
            if (mend.Count > 5)
            {
                context.Hint("  mcpsm auth login-all");
            }
        }
    }

    private static Command Login(CommandContext context)
    {
        var server = new Argument<string>("server") { Description = "Its id or name, or its URL, which may be new" };
        var options = new LoginOptions();
        var command = new Command("login", "Sign in to a server") { server };
        options.AddTo(command, ofOne: true);
        command.SetChangeAction((parsed, cancellationToken) =>
            context.RunAsync(() => options.RunAsync(parsed.GetValue(server)!, parsed, context, cancellationToken)));
        return command;
    }

    private static Command Logout(CommandContext context)
    {
        var id = ServerArgument();
        var force = new Option<bool>("--force", "-f") { Description = "Do not ask" };
        var local = new Option<bool>("--local") { Description = "Do not tell the issuer" };
        var command = new Command("logout", "Sign out: revoke and remove the OAuth tokens") { id, force, local };
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            var server = context.Catalog.Get(parsed.GetValue(id)!);
            var kind = context.Authenticator.Status(server).Kind;
            if (kind == McpSm.Core.Credentials.CredentialKind.OAuth && !parsed.GetValue(force) && !await context.Interaction.ConfirmAsync(
                $"Sign out of '{server.Name}'?", NextCommand.For("auth logout", server.Id, "--force"), cancellationToken).ConfigureAwait(false))
            {
                context.Hint("Still signed in.");
                return ExitCode.Failed;
            }
            var result = await context.Authenticator.DisconnectAsync(server, parsed.GetValue(local), cancellationToken).ConfigureAwait(false);
            if (result.HadOAuth)
            {
                context.Succeed($"Signed out of '{server.Name}'.");
                WarnOfRevocation(context, result.RevocationFailure);
            }
            else
            {
                context.Hint(result.HasBearer
                    ? $"'{server.Name}' has a bearer token, which signing out leaves alone. Remove it with: {NextCommand.For("auth revoke", server.Id)}"
                    : $"You are not signed in to '{server.Name}'.");
            }
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command LoginAll(CommandContext context)
    {
        var options = new LoginOptions();
        var command = new Command("login-all", "Renew what can be renewed and sign in to the rest");
        options.AddTo(command, ofOne: false);
        var throttle = LoginOptions.ThrottleLimit(8);
        command.Add(throttle);
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            var failed = 0;
            var servers = context.Catalog.List().Where(s => s.OAuth != OAuthMode.Off).ToList();
            context.Authenticator.Status(servers, out var failure);
            if (failure is not null)
            {
                throw failure;
            }
            await CommandContext.ForEachAsync(servers, parsed.GetValue(throttle), cancellationToken, async (server, cancel) =>
            {
                var code = await context.RunAsync(() => options.EnsureAsync(server, parsed, context, cancel), server.Name).ConfigureAwait(false);
                Interlocked.Add(ref failed, code == ExitCode.Done ? 0 : 1);
            }).ConfigureAwait(false);
            if (servers.Count == 0)
            {
                context.Hint("There are no servers to sign in to. Add one with: mcpsm add <name> --type http --url <url>");
            }
            return failed == 0 ? ExitCode.Done : ExitCode.Failed;
        }));
        return command;
    }

    private static Command Refresh(CommandContext context)
    {
        var id = ServerArgument();
        var command = new Command("refresh", "Renew the token now") { id };
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            var server = context.Catalog.Get(parsed.GetValue(id)!);
            await context.Authenticator.RenewAsync(server, cancellationToken).ConfigureAwait(false);
            var status = context.Authenticator.Status(server);
            context.Succeed($"Token of '{server.Name}' renewed{StatusText.Expiry(status, context.AppEnvironment.Time.GetUtcNow())}.");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Set(CommandContext context)
    {
        var id = ServerArgument();
        var token = new Argument<string?>("token") { Description = "The token; - reads standard input; asks where absent", Arity = ArgumentArity.ZeroOrOne };
        var vault = new Option<string?>("--vault") { Description = "The vault to keep it in" };
        var command = new Command("set", "Keep a bearer token") { id, token, vault };
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            var all = context.Catalog.List();
            // The name is not repeated: whoever leaves it out has typed the token in its place.
            var server = ServerLookup.Find(all, parsed.GetValue(id)!) ?? throw ServerLookup.Failure(all, parsed.GetValue(id)!, mayBeSecret: true);
            var secret = parsed.GetValue(token) is { } given
                ? await ReadTokenAsync(given, context, cancellationToken).ConfigureAwait(false)
                : await PromptAsync(server, context, cancellationToken).ConfigureAwait(false);
            var failure = await context.Authenticator.SetTokenAsync(server, secret, parsed.GetValue(vault), cancellationToken).ConfigureAwait(false);
            context.Succeed($"Bearer token of '{server.Name}' kept.");
            if (failure is not null)
            {
                context.Warn($"the sign-in it replaces was not confirmed as revoked. {failure}");
            }
            return ExitCode.Done;
        }));
        return command;
    }

    private static async Task<string> PromptAsync(McpServer server, CommandContext context, CancellationToken cancellationToken)
    {
        if (!context.Interaction.CanAnswer || !context.Console.IsInputTerminal)
        {
            throw new McpAuthException(ErrorReason.InteractionRequired, "The token is asked for at a terminal, and there is none.",
                $"Pipe it in: {NextCommand.For("auth set", server.Id, "-")}");
        }
        return await context.Console.ReadSecretAsync($"Token for {server.Name}: ", cancellationToken).ConfigureAwait(false)
            ?? throw new McpAuthException(ErrorReason.InteractionRequired, "Standard input ended before a token came.",
                $"Pipe it in: {NextCommand.For("auth set", server.Id, "-")}");
    }

    private static Command Revoke(CommandContext context)
    {
        var id = ServerArgument();
        var command = new Command("revoke", "Revoke and remove every credential of a server") { id };
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            var server = context.Catalog.Get(parsed.GetValue(id)!);
            var result = await context.Authenticator.ClearAsync(server, cancellationToken).ConfigureAwait(false);
            if (result.HadOAuth || result.HasBearer)
            {
                context.Succeed($"Credentials of '{server.Name}' removed.");
                WarnOfRevocation(context, result.RevocationFailure);
            }
            else
            {
                context.Hint($"'{server.Name}' has no credential.");
            }
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Reject(CommandContext context)
    {
        var id = ServerArgument();
        var command = new Command("reject", "Report a token that the server refused") { id };
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            var server = context.Catalog.Get(parsed.GetValue(id)!);
            var token = await ReadTokenAsync("-", context, cancellationToken).ConfigureAwait(false);
            context.Succeed(await context.Authenticator.RejectTokenAsync(server, token, cancellationToken).ConfigureAwait(false)
                ? $"The token of '{server.Name}' counts as refused; the next call renews it."
                : $"That is not the token kept for '{server.Name}': another has already taken its place.");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Token(CommandContext context)
    {
        var id = ServerArgument();
        var header = new Option<bool>("--header") { Description = "Print it as an HTTP header; two where it is bound" };
        var json = new Option<bool>("--json") { Description = "Print a JSON object of headers, as header helpers do" };
        var method = new Option<string?>("--method") { Description = "The request's method, for a bound token (POST)" };
        var uri = new Option<string?>("--uri") { Description = "The request's URL (the server's own)", HelpName = "url" };
        var nonce = new Option<string?>("--nonce") { Description = "The DPoP-Nonce of the server's last answer" };
        var renew = new Option<bool>("--renew") { Description = "Renew it first: the server refused the last one" };
        var command = new Command("token", "Print a valid access token, renewed first if need be") { id, header, json, method, uri, nonce, renew };
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            var server = context.Catalog.Get(parsed.GetValue(id)!);
            var (asHeader, asJson) = (parsed.GetValue(header), parsed.GetValue(json));
            if (!asHeader && !asJson && (parsed.GetValue(method) ?? parsed.GetValue(uri) ?? parsed.GetValue(nonce)) is not null)
            {
                throw new McpAuthException(ErrorReason.InvalidValue, "--method, --uri and --nonce are of headers: say --header or --json as well.");
            }
            var token = await context.Authenticator.GetAccessTokenAsync(server, cancellationToken, parsed.GetValue(renew)).ConfigureAwait(false);
            if (!asHeader && !asJson)
            {
                context.Console.Out.WriteLine(token.Value);
                if (token.IsBound)
                {
                    context.Hint($"Hint: this token is bound to a key (DPoP) and needs a proof for each request: {NextCommand.For("auth token", server.Id, "--header")}");
                }
                return ExitCode.Done;
            }
            var headers = token.HeadersFor(parsed.GetValue(method), parsed.GetValue(uri), parsed.GetValue(nonce));
            context.Console.Out.WriteLine(asJson
                ? JsonOutput.Document(writer =>
                {
                    writer.WriteStartObject();
                    foreach (var (name, value) in headers)
                    {
                        writer.WriteString(name, value);
                    }
                    writer.WriteEndObject();
                })
                : string.Join('\n', headers.Select(h => $"{h.Key}: {h.Value}")));
            return ExitCode.Done;
        }), when: parsed => parsed.GetValue(renew));
        return command;
    }
}
