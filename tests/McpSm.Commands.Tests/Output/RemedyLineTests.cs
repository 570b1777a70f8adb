using McpSm.Commands.Remedies;
using McpSm.Commands.Tests.Support;
using McpSm.Core.Errors.Steps;
using Xunit;

namespace McpSm.Commands.Tests.Output;

/// <summary>Tests that every remedy is a valid command line.</summary>
public sealed class RemedyLineTests : IDisposable
{
    private static readonly ServerReference Server = new("my-api", "My API");

    private static readonly NextStep[] Steps =
    [
        new SignInToAllStep(), new RefreshStep(Server), new SetTokenStep(Server), new SetTokenStep(Server) { Unattended = true }, new RejectTokenStep(Server),
        new ReadTokenStep(Server), new ReadTokenStep(Server) { AsHeader = true }, new RevokeStep(Server), new ForgetClientStep(Server), new ImportStep(Server),
        new ImportStep(Server, Force: true), new TestServerStep(Server), new ListServersStep(),
        new AddServerStep(), new AddServerStep("https://mcp.example/a b"),
        new UseVaultStep(), new UseVaultStep(Move: true), new UseVaultStep("file"), new UseVaultStep("file", Move: true), new ListVaultsStep(),
        new RekeyVaultStep(Passphrase: true), new RekeyVaultStep(Passphrase: false), new RemoveIdentityProviderStep(),
        new UseIdentityProviderStep(), new UseIdentityProviderStep("https://issuer.example"),
        .. With(new SignInStep(Server), StepOptionKind.ClientCredentials, StepOptionKind.ManagedIdentity, StepOptionKind.AssertionFile,
            StepOptionKind.AssertionVariable, StepOptionKind.IdentityProvider, StepOptionKind.CallbackPort, StepOptionKind.Timeout,
            StepOptionKind.NoBrowser, StepOptionKind.DeviceCode, StepOptionKind.Vault),
        .. With(new UpdateServerStep(Server),
            StepOptionKind.ClientId, StepOptionKind.ClientSecret, StepOptionKind.Issuer, StepOptionKind.Scope, StepOptionKind.Header,
            StepOptionKind.AuthorizeParameter, StepOptionKind.OAuthOn, StepOptionKind.AllowLegacyEndpoints, StepOptionKind.DPoP, StepOptionKind.Url),
        .. With(new UseIdentityProviderStep("https://issuer.example"), StepOptionKind.ClientId, StepOptionKind.ClientSecret),
        .. With(new SignInToIdentityProviderStep(), StepOptionKind.CallbackPort, StepOptionKind.Timeout, StepOptionKind.NoBrowser, StepOptionKind.DeviceCode),
    ];

    private readonly string _file = Path.GetTempFileName();

    public static TheoryData<string> Lines => [.. Steps.Select(step => CliRemedyFormatter.Instance.Format(step)!).Distinct()];

    public void Dispose() => File.Delete(_file);

    /// <summary>The configuration folder is a file, so that no command does anything. A usage error is reported before that matters.</summary>
    [Theory]
    [MemberData(nameof(Lines))]
    public async Task Remedy_is_a_valid_command_line(string line)
    {
        using var mcpsm = new InProcessCli();
        mcpsm.Variables["MCP_MANAGER_CONFIG_DIR"] = _file;
        mcpsm.Variables["SECRET"] = "a-client-secret";
        var words = Words(line).ToList();
        Assert.Equal("mcpsm", words[0]);
        var ended = await mcpsm.RunAsync([.. words.Skip(1)]);
        Assert.True(ended.Code != ExitCode.WrongUsage, ended.Error);
    }

    [Fact]
    public void Every_remedy_type_and_option_is_tested()
    {
        var steps = typeof(NextStep).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(NextStep)))
            // These are commands of SecretManagement.
            .Except([typeof(RemoveSecretStep), typeof(ListSecretsStep)]);
        Assert.Empty(steps.Except(Steps.Select(s => s.GetType())));
        Assert.Empty(Enum.GetValues<StepOptionKind>().Except(Steps.SelectMany(s => s.Options).Select(o => o.Kind)));
    }

    [Theory]
    [InlineData("$(id)", "mcpsm server update my-api --issuer <url>")]
    [InlineData("--url", "mcpsm server update my-api --issuer <url>")]
    [InlineData("https://a.example/x y", "mcpsm server update my-api --issuer \"https://a.example/x y\"")]
    public void Untrusted_value_is_one_word_or_a_placeholder(string issuer, string line) =>
        Assert.Equal(line, CliRemedyFormatter.Instance.Format(new UpdateServerStep(Server, new StepOption(StepOptionKind.Issuer, issuer))));

    private static IEnumerable<NextStep> With(NextStep step, params IEnumerable<StepOptionKind> kinds) => kinds
        .Select(kind => kind is StepOptionKind.Header or StepOptionKind.AuthorizeParameter or StepOptionKind.DPoP
            ? new StepOption(kind, kind == StepOptionKind.DPoP ? "never" : "x-name") : new StepOption(kind))
        .Select(option => step with { Options = option.Kind == StepOptionKind.ClientSecret ? [StepOptionKind.ClientId, option] : [option] }).Append(step);

    /// <summary>Returns the words of the line with values for the placeholders.</summary>
    private static IEnumerable<string> Words(string line) =>
        line.Replace("<seconds>", "1").Replace("<port>", "0").Replace("<scope>...", "a b").Replace("<NAME>", "SECRET")
            .Replace("<name>", "file").Replace("<file>", "assertion").Replace("<url>", "https://a.example")
            .Replace("<issuer>", "https://a.example").Replace("<id>", "id")
            .Split('"').SelectMany((part, i) => i % 2 == 1 ? [part] : part.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
