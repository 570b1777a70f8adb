using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Core.Servers;
using McpSm.Relay.SignIn;

namespace McpSm.Commands.Proxy;

/// <summary>The options of <c>proxy</c> that let a person sign in from inside a client.</summary>
internal sealed class SignInOption
{
    private const int DefaultTimeoutSeconds = 300;

    private readonly Option<bool> _signIn = new("--sign-in") { Description = "Ask to sign in if there is no usable credential" };
    private readonly Option<int?> _timeout = NumberOption.Seconds("--sign-in-timeout", "Seconds that requests wait for the sign-in (300)");

    public void AddTo(Command command)
    {
        command.Add(_signIn);
        command.Add(_timeout);
    }

    /// <summary>How to sign in; null if the relay must not ask. The option wins over the setting of the server.</summary>
    public ISignInBroker? Read(ParseResult parsed, McpServer server, CommandContext context) =>
        (parsed.GetResult(_signIn) is null or { Implicit: true } ? server.Relay.SignIn : parsed.GetValue(_signIn))
            ? new DetachedSignIn(server, context.AppEnvironment, context.Console.OwnProgram) : null;

    public TimeSpan ReadTimeout(ParseResult parsed) => TimeSpan.FromSeconds(parsed.GetValue(_timeout) ?? DefaultTimeoutSeconds);
}
