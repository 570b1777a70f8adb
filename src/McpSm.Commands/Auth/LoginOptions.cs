using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Output;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;

namespace McpSm.Commands.Auth;

/// <summary>The options of the commands that sign in, and the sign-in.</summary>
internal sealed class LoginOptions
{
    private readonly Option<bool> _noBrowser = new("--no-browser") { Description = "Print the URL instead of opening a browser" };
    private readonly Option<bool> _device = new("--device") { Description = "Sign in with a code on another device" };
    private readonly Option<int?> _port = NumberOption.Port("--callback-port", "Local port for the redirect; 0 for any free port");
    private readonly Option<int?> _timeout = NumberOption.Timeout("Seconds to wait for the sign-in (300)");
    private readonly Option<string?> _vault = VaultOption.Create("Vault to store the credential in");
    private readonly Option<bool> _nonInteractive = new("--non-interactive") { Description = "Fail instead of asking a person" };

    private readonly Option<bool> _client = new("--client-credentials") { Description = "Sign in as the client in MCPSM_CLIENT_ID" };
    private readonly Option<string?> _keyFile = new("--client-key-file") { Description = "Sign in as that client with a private key (PEM)", HelpName = "file" };
    private readonly Option<string?> _machine = new("--managed-identity")
    {
        Description = "Sign in with the machine's Azure identity, or id",
        HelpName = "id",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly Option<string?> _assertionFile = new("--assertion-file")
    {
        Description = "Sign in as a workload with the JWT in this file",
        HelpName = "file",
    };
    private readonly Option<string?> _assertionVariable = new("--assertion-from-env")
    {
        Description = "Sign in as a workload with the JWT in a variable",
        HelpName = "NAME",
    };

    private readonly Option<string?> _provider = new("--identity-provider") { Description = "Sign in through this identity provider", HelpName = "url" };

    private readonly Option<string[]> _authorize = AuthorizeParameterOption.Create("Add a parameter to this authorization URL", "k=v");

    private readonly Option<string?> _name = new("--name") { Description = "Name for the server, if you give its URL" };

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="forOneServer">
    /// Whether the user names the one server to sign in to. Only then may the secret of a client or the assertion of a workload be
    /// sent, to the issuer of this server.
    /// </param>
    public void AddTo(Command command, bool forOneServer)
    {
        foreach (var option in new Option[] { _noBrowser, _device, _port, _timeout, _vault, _nonInteractive }
            .Concat(forOneServer ? [_client, _keyFile, _machine, _assertionFile, _assertionVariable, _provider, _authorize, _name] : []))
        {
            command.Add(option);
        }
    }

    /// <summary>Signs in to a server, which is added if the user gave a new URL, and prints the result.</summary>
    /// <exception cref="McpAuthException">The sign-in failed.</exception>
    public async Task<int> RunAsync(string serverOrUrl, ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        var all = context.Catalog.List();
        var (server, name) = (ServerLookup.Find(all, serverOrUrl), parsed.GetValue(_name));
        if (name is not null && !ServerLookup.IsUrl(serverOrUrl))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "--name requires the URL of a new server.", "Omit --name, or give the URL of the server.");
        }
        if (name is not null || (server is null && ServerLookup.IsUrl(serverOrUrl)))
        {
            (server, var isNew) = await context.Authenticator.Servers.FindOrAddAsync(serverOrUrl, name, cancellationToken).ConfigureAwait(false);
            if (isNew)
            {
                context.Hint($"Server '{server.Name}' added.");
            }
        }
        server = server ?? throw ServerLookup.Failure(all, serverOrUrl);
        var options = Read(parsed, context, cancellationToken);
        return Report(await context.Authenticator.SignIn.SignInAsync(server, options, cancellationToken).ConfigureAwait(false), context);
    }

    /// <summary>Renews the credential of a server or signs in, if that is necessary, and prints the result.</summary>
    /// <exception cref="McpAuthException">The sign-in or the renewal failed.</exception>
    public async Task<int> EnsureAsync(McpServer server, ParseResult parsed, CommandContext context, CancellationToken cancellationToken) =>
        Report(await context.Authenticator.SignIn.EnsureSignedInAsync(server, Read(parsed, context, cancellationToken), cancellationToken)
            .ConfigureAwait(false), context);

    /// <exception cref="McpAuthException">InvalidValue: options that cannot be combined, or a key file that cannot be read.</exception>
    public SignInOptions Read(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        context.Interaction.NonInteractive = parsed.GetValue(_nonInteractive);
        var assertion = ReadAssertion(parsed);
        var isMachine = parsed.GetResult(_machine) is not null;
        var isClient = parsed.GetValue(_keyFile) is not null || parsed.GetValue(_client);
        if (isClient && isMachine)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "--managed-identity cannot be combined with --client-credentials or --client-key-file.");
        }
        if ((isClient || isMachine) && parsed.GetValue(_device))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "--device signs in a person. It cannot be combined with options that sign in a client.");
        }
        if (parsed.GetValue(_provider) is not null && (isClient || isMachine || assertion is not null))
        {
            throw new McpAuthException(ErrorReason.InvalidValue,
                "--identity-provider signs in a person. It cannot be combined with options that sign in a client or a workload.");
        }
        var authorize = AuthorizeParameterOption.Read(parsed, _authorize);
        if (authorize is not null && (isClient || isMachine || parsed.GetValue(_device)))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"{_authorize.Name} requires a sign-in with a browser.");
        }
        return new SignInOptions
        {
            AuthorizeParams = authorize ?? AuthorizeParameters.None,
            IdentityProvider = parsed.GetValue(_provider),
            NoBrowser = parsed.GetValue(_noBrowser),
            UseDeviceCode = parsed.GetValue(_device),
            ClientCredentials = ReadClient(parsed, assertion, cancellationToken),
            CallbackPort = parsed.GetValue(_port),
            Timeout = parsed.GetValue(_timeout) is { } seconds ? TimeSpan.FromSeconds(seconds) : SignInOptions.DefaultTimeout,
            Vault = parsed.GetValue(_vault),
        };
    }

    /// <summary>Returns the client or workload that signs in, or null if a person does.</summary>
    private ClientCredentials? ReadClient(ParseResult parsed, WorkloadAssertionSource? assertion, CancellationToken cancellationToken)
    {
        if (assertion is not null)
        {
            return new ClientCredentials(Assertion: assertion);
        }
        if (parsed.GetResult(_machine) is not null)
        {
            return new ClientCredentials(parsed.GetValue(_machine), IsManagedIdentity: true);
        }
        if (parsed.GetValue(_keyFile) is { } file)
        {
            return new ClientCredentials(Key: ClientKey.FromFile(file, cancellationToken));
        }
        return parsed.GetValue(_client) ? new ClientCredentials() : null;
    }

    /// <summary>Returns the source of the assertion if a workload signs in, or null.</summary>
    private WorkloadAssertionSource? ReadAssertion(ParseResult parsed)
    {
        var (file, variable) = (parsed.GetValue(_assertionFile), parsed.GetValue(_assertionVariable));
        if (file is null && variable is null)
        {
            return null;
        }
        if (file is not null && variable is not null)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "--assertion-file and --assertion-from-env cannot be combined.");
        }
        Option[] others = [_noBrowser, _device, _port, _client, _keyFile, _machine, _authorize];
        if (others.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } other)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"{other.Name} cannot be combined with --assertion-file or --assertion-from-env.");
        }
        return file is not null ? WorkloadAssertionSource.FromFile(file) : WorkloadAssertionSource.FromVariable(variable!);
    }

    private static int Report(SignInResult result, CommandContext context)
    {
        var name = result.Server.Name;
        switch (result.Outcome)
        {
            case SignInOutcome.NeedsNone:
                context.Print($"○ '{name}' does not need authentication.");
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
        if (result.VerificationFailure is { } failure)
        {
            context.Warn($"the token is stored, but could not be verified. {failure}");
        }
        return ExitCode.Done;
    }
}
