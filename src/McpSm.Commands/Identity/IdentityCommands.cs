using System.CommandLine;
using McpSm.Commands.Auth;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Output;
using McpSm.Core;
using McpSm.Core.Configuration;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.SignIn;

namespace McpSm.Commands.Identity;

/// <summary><c>identity use|login|logout|none</c>: the identity provider of the organisation.</summary>
internal static class IdentityCommands
{
    public static void AddTo(Command root, CommandContext context)
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON array; expiresIn is in seconds" };
        var identity = new Command("identity", "Show and choose your organisation's identity provider") { json };
        identity.SetReadAction((parsed, _) => context.RunAsync(() => Task.FromResult(Show(context, parsed.GetValue(json)))));
        identity.Add(Use(context));
        identity.Add(Login(context));
        identity.Add(Logout(context));
        identity.Add(NotConfigured(context));
        root.Add(identity);
    }

    private static int Show(CommandContext context, bool json)
    {
        var providers = context.Authenticator.IdentityProviders();
        var now = context.AppEnvironment.Time.GetUtcNow();
        if (json)
        {
            JsonOutput.Array(context.Console.Out, providers, (writer, provider) => JsonOutput.IdentityProvider(writer, provider, now));
            return ExitCode.Done;
        }
        foreach (var provider in providers)
        {
            context.Print($"{(provider.IsSet ? "*" : " ")} {UntrustedText.Sanitize(provider.Issuer)}");
            context.Print("    ", !provider.SignedIn ? $"{StatusText.FailureSymbol} Not signed in"
                : provider.CanRenew ? $"{StatusText.SuccessSymbol} Signed in, renewed without you" : $"{StatusText.SuccessSymbol} Signed in (expires: {StatusText.FormatTime(provider.ExpiresAt!.Value, now)})");
            if (provider.Servers.Count > 0)
            {
                context.Print($"    Signs in to: {string.Join(", ", provider.Servers)}");
            }
        }
        if (providers.Count == 0)
        {
            context.Hint("No identity provider is set. Set one with: mcpsm identity use <issuer> --client-id <id>");
        }
        else if (providers[0] is { IsSet: true, Remedy: { } next })
        {
            context.Hint("Next:");
            context.Hint("  " + next);
        }
        return ExitCode.Done;
    }

    private static Command Use(CommandContext context)
    {
        var issuer = new Argument<string>("issuer") { Description = "The 'issuer' of its OpenID Connect metadata" };
        var clientId = new Option<string?>("--client-id") { Description = "The id of the client registered there", HelpName = "id" };
        var secret = new Option<string?>("--client-secret-from-env") { Description = "The variable that holds the client's secret", HelpName = "NAME" };
        var scopes = new Option<string[]>("--scope") { Description = "Scopes to ask for beside openid", AllowMultipleArgumentsPerToken = true };
        var vault = new Option<string?>("--vault") { Description = "The vault to keep the secret in", HelpName = "name" };
        var command = new Command("use", "Sign in through it wherever a server takes its word") { issuer, clientId, secret, scopes, vault };
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            var value = parsed.GetValue(secret) is not { } variable ? null : context.AppEnvironment.SecretVariable(variable)
                ?? throw new McpAuthException(ErrorReason.InvalidValue, "The variable that --client-secret-from-env names is not set.");
            var provider = new IdentityProviderSetting(parsed.GetValue(issuer)!, parsed.GetValue(clientId),
                Scopes.Typed(parsed.GetValue(scopes) ?? []));
            await context.Authenticator.SetIdentityProviderAsync(provider, value, parsed.GetValue(vault), cancellationToken).ConfigureAwait(false);
            context.Succeed("Servers whose issuer takes its word are signed in to through it.");
            context.Hint("Next:");
            context.Hint("  mcpsm identity login");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Login(CommandContext context)
    {
        var options = new LoginOptions();
        var token = new Option<string?>("--id-token-from-env") { Description = "Take the ID token another program got", HelpName = "NAME" };
        var command = new Command("login", "Sign in at the identity provider, once for all servers");
        options.AddTo(command, ofOne: false);
        command.Add(token);
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            var provider = context.Authenticator.RequireIdentityProvider().Issuer;
            var how = options.Read(parsed, context, cancellationToken);
            if (parsed.GetValue(token) is { } variable)
            {
                var idToken = context.AppEnvironment.SecretVariable(variable)?.Trim()
                    ?? throw new McpAuthException(ErrorReason.InvalidValue, "The variable that --id-token-from-env names is not set.");
                await context.Authenticator.KeepIdTokenAsync(provider, null, idToken, how.Vault, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await context.Authenticator.SignInToIdentityProviderAsync(provider, how, cancellationToken).ConfigureAwait(false);
            }
            context.Succeed($"Signed in at {UntrustedText.Sanitize(provider)}.");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Logout(CommandContext context)
    {
        var force = new Option<bool>("--force", "-f") { Description = "Do not ask" };
        var local = new Option<bool>("--local") { Description = "Do not tell the provider" };
        var command = new Command("logout", "Sign out there: revoke and remove the session") { force, local };
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            var signedIn = context.Authenticator.IdentityProviders().Where(p => p.SignedInAt is not null).ToList();
            if (signedIn.Count == 0)
            {
                context.Hint("You are not signed in at an identity provider.");
                return ExitCode.Done;
            }
            if (!parsed.GetValue(force) && !await context.Interaction.ConfirmAsync(
                $"Sign out of {string.Join(", ", signedIn.Select(p => UntrustedText.Sanitize(p.Issuer)))}?", "mcpsm identity logout --force", cancellationToken).ConfigureAwait(false))
            {
                context.Hint("Still signed in.");
                return ExitCode.Failed;
            }
            foreach (var provider in signedIn)
            {
                var failure = await context.Authenticator.SignOutOfIdentityProviderAsync(provider.Issuer, parsed.GetValue(local), cancellationToken).ConfigureAwait(false);
                context.Succeed($"Signed out of {UntrustedText.Sanitize(provider.Issuer)}.");
                AuthCommands.WarnOfRevocation(context, failure);
            }
            context.Hint("Servers keep their tokens until these expire. To end one now: mcpsm auth logout <server>");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command NotConfigured(CommandContext context)
    {
        var force = new Option<bool>("--force", "-f") { Description = "Do not ask" };
        var command = new Command("none", "Use no identity provider any more, and sign out there") { force };
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            if (context.Authenticator.IdentityProvider is not { Issuer: var provider })
            {
                context.Hint("No identity provider is set.");
                return ExitCode.Done;
            }
            if (!parsed.GetValue(force) && !await context.Interaction.ConfirmAsync(
                $"Use {UntrustedText.Sanitize(provider)} no more, and sign out there?", "mcpsm identity none --force", cancellationToken).ConfigureAwait(false))
            {
                context.Hint("Still set.");
                return ExitCode.Failed;
            }
            var failure = await context.Authenticator.RemoveIdentityProviderAsync(provider, cancellationToken).ConfigureAwait(false);
            context.Succeed("No identity provider is used any more.");
            AuthCommands.WarnOfRevocation(context, failure);
            return ExitCode.Done;
        }));
        return command;
    }
}
