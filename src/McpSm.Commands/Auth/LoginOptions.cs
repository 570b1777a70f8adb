using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Output;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;

namespace McpSm.Commands.Auth;

/// <summary>The options of a sign-in, and the sign-in itself.</summary>
internal sealed class LoginOptions
{
    private readonly Option<bool> _noBrowser = new("--no-browser") { Description = "Print the URL instead of opening a browser" };
    private readonly Option<bool> _device = new("--device") { Description = "Sign in with a code on another device" };
    private readonly Option<int?> _port = NumberOption.Port("--callback-port", "The local port a browser comes back to; 0 is any");
    private readonly Option<int?> _timeout = NumberOption.Timeout("Seconds to wait for the sign-in (300)");
    private readonly Option<string?> _vault = VaultOption.Create("The vault to keep the credential in");
    private readonly Option<bool> _nonInteractive = new("--non-interactive") { Description = "Fail at once where a person would be asked" };

    private readonly Option<bool> _client = new("--client-credentials") { Description = "Sign in as MCPSM_CLIENT_ID, with its secret" };
    private readonly Option<string?> _keyFile = new("--client-key-file") { Description = "The same, with its key (PEM) in place of a secret", HelpName = "file" };
    private readonly Option<string?> _machine = new("--managed-identity")
    {
        Description = "Sign in as this machine's Azure identity, or id",
        HelpName = "id",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly Option<string?> _assertionFile = new("--assertion-file") { Description = "Sign in as a workload, by the JWT in this file", HelpName = "file" };
    private readonly Option<string?> _assertionVariable = new("--assertion-from-env") { Description = "The same, by the JWT in this variable", HelpName = "NAME" };

    private readonly Option<string?> _provider = new("--identity-provider") { Description = "Let this identity provider vouch for you", HelpName = "url" };

    private readonly Option<string[]> _authorize = AuthorizeParameterOption.Create("Add to the authorization URL, this once", "k=v");

    private readonly Option<string?> _name = new("--name") { Description = "A name for the server, if its URL is given" };

    /// <param name="ofOne">The command signs in to one server, which the user names: a client's secret or a workload's assertion goes to that one's issuer.</param>
    public void AddTo(Command command, bool ofOne)
    {
        foreach (var option in new Option[] { _noBrowser, _device, _port, _timeout, _vault, _nonInteractive }
            .Concat(ofOne ? [_client, _keyFile, _machine, _assertionFile, _assertionVariable, _provider, _authorize, _name] : []))
        {
            command.Add(option);
        }
    }

    public async Task<int> RunAsync(string serverOrUrl, ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        var all = context.Catalog.List();
        var (server, name) = (ServerLookup.Find(all, serverOrUrl), parsed.GetValue(_name));
        if (name is not null && !ServerLookup.IsUrl(serverOrUrl))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "--name goes with the URL of a new server.", "Leave --name out, or give the URL.");
        }
        if (name is not null || (server is null && ServerLookup.IsUrl(serverOrUrl)))
        {
            (server, var isNew) = await context.Authenticator.Servers.FindOrAddAsync(serverOrUrl, name, cancellationToken).ConfigureAwait(false);
            if (isNew)
            {
                context.Hint($"Server '{server.Name}' added.");
            }
        }
        return Report(await context.Authenticator.SignIn.SignInAsync(server ?? throw ServerLookup.Failure(all, serverOrUrl), Read(parsed, context, cancellationToken), cancellationToken).ConfigureAwait(false), context);
    }

    /// <summary>What <c>login-all</c> does with each server.</summary>
    public async Task<int> EnsureAsync(McpServer server, ParseResult parsed, CommandContext context, CancellationToken cancellationToken) =>
        Report(await context.Authenticator.SignIn.EnsureSignedInAsync(server, Read(parsed, context, cancellationToken), cancellationToken).ConfigureAwait(false), context);

    public SignInOptions Read(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        context.Interaction.NonInteractive = parsed.GetValue(_nonInteractive);
        var assertion = ReadAssertion(parsed);
        var keyFile = parsed.GetValue(_keyFile);
        var isMachine = parsed.GetResult(_machine) is not null;
        var isClient = keyFile is not null || parsed.GetValue(_client);
        if (isClient && isMachine)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "A managed identity has no secret and no key: --managed-identity stands alone.");
        }
        if ((isClient || isMachine) && parsed.GetValue(_device))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "A client signs in without a person: --device is not for it.");
        }
        if (parsed.GetValue(_provider) is not null && (isClient || isMachine || assertion is not null))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "An identity provider vouches for a person: --identity-provider is not for a client or a workload.");
        }
        var authorize = AuthorizeParameterOption.Read(parsed, _authorize);
        if (authorize is not null && (isClient || isMachine || parsed.GetValue(_device)))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"Only a sign-in with a browser has an authorization URL: {_authorize.Name} is not for this one.");
        }
        return new SignInOptions
        {
            AuthorizeParams = authorize ?? AuthorizeParameters.None,
            IdentityProvider = parsed.GetValue(_provider),
            NoBrowser = parsed.GetValue(_noBrowser),
            UseDeviceCode = parsed.GetValue(_device),
            ClientCredentials = assertion is not null ? new ClientCredentials(Assertion: assertion)
                : isMachine ? new ClientCredentials(parsed.GetValue(_machine), IsManagedIdentity: true)
                : isClient ? new ClientCredentials(Key: keyFile is null ? null : ClientKey.FromFile(keyFile, cancellationToken)) : null,
            CallbackPort = parsed.GetValue(_port),
            Timeout = parsed.GetValue(_timeout) is { } seconds ? TimeSpan.FromSeconds(seconds) : SignInOptions.DefaultTimeout,
            Vault = parsed.GetValue(_vault),
        };
    }

    /// <summary>Null where no workload signs in.</summary>
    private WorkloadAssertionSource? ReadAssertion(ParseResult parsed)
    {
        var (file, variable) = (parsed.GetValue(_assertionFile), parsed.GetValue(_assertionVariable));
        if (file is null && variable is null)
        {
            return null;
        }
        if (file is not null && variable is not null)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "--assertion-file and --assertion-from-env exclude each other.");
        }
        if (new Option[] { _noBrowser, _device, _port, _client, _keyFile, _machine, _authorize }.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } other)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"A workload signs in with its assertion alone: {other.Name} is not for it.");
        }
        return file is not null ? WorkloadAssertionSource.FromFile(file) : WorkloadAssertionSource.FromVariable(variable!);
    }

    private static int Report(SignInResult result, CommandContext context)
    {
        var name = result.Server.Name;
        switch (result.Outcome)
        {
            case SignInOutcome.NeedsNone:
                context.Print($"○ '{name}' needs no authentication.");
                break;
            case SignInOutcome.Valid:
                context.Print($"{name}: {StatusText.Describe(result.Status, context.AppEnvironment.Time.GetUtcNow())}");
                break;
            case SignInOutcome.Renewed:
                context.Succeed($"Token of '{name}' renewed{StatusText.Expiry(result.Status, context.AppEnvironment.Time.GetUtcNow())}.");
                break;
            default:
                context.Succeed($"Signed in to '{name}'{StatusText.Expiry(result.Status, context.AppEnvironment.Time.GetUtcNow())}.");
                break;
        }
        if (result.VerificationFailure is { } doubt)
        {
            context.Warn($"the token is kept, but could not be tried. {doubt}");
        }
        return ExitCode.Done;
    }
}
