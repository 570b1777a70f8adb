using System.Management.Automation;

namespace McpSm.PowerShell.Tests.Errors;

/// <summary>A cmdlet, and a command of <c>mcpsm</c> if one exists, that fails with an error id.</summary>
/// <param name="Target">The target object of the error; null if the error belongs to no server.</param>
/// <param name="Line">One command, to which common parameters can be added. <c>$token</c> is a token to save.</param>
/// <param name="Command">The arguments of <c>mcpsm</c>; null if only a cmdlet can fail with this id.</param>
/// <param name="Arrange">Makes the command fail. Called before each command.</param>
internal sealed record ErrorCase(ErrorCategory Category, string? Target, string Line, string? Command, int ExitCode, Action<ErrorFixture> Arrange)
{
    private const string Connect = "Connect-McpServer my-api -NoBrowser -CallbackPort 0";
    private const string Login = "auth login my-api --no-browser --callback-port 0";
    private const string WellKnown = "/.well-known";

    /// <summary>The ids that cannot be caused on this machine, with the reason.</summary>
    public static IReadOnlyDictionary<string, string> OutOfReach { get; } = OperatingSystem.IsWindows() ? new Dictionary<string, string>()
        : new() { ["SecretTooLarge"] = "Only the Credential Manager of Windows has a limit; CredentialManagerTests reach it on the rules of its interface." };

    public static IReadOnlyDictionary<string, ErrorCase> All { get; } = new Dictionary<string, ErrorCase>
    {
        ["ServerNotFound"] = new(ErrorCategory.ObjectNotFound, "nosuch", "Get-McpServer nosuch", "auth status nosuch", 1, _ => { }),
        ["ServerAlreadyExists"] = new(ErrorCategory.ResourceExists, "my-api", "Add-McpServer my-api https://b.example/mcp",
            "add my-api --type http --url https://b.example/mcp", 1, _ => { }),
        ["InvalidServerUrl"] = new(ErrorCategory.InvalidArgument, "b", "Add-McpServer b ftp://b.example",
            "add b --type http --url ftp://b.example", 2, _ => { }),
        ["InvalidServerName"] = new(ErrorCategory.InvalidArgument, "login", "Add-McpServer login https://b.example/mcp",
            "add login --type http --url https://b.example/mcp", 2, _ => { }),
        ["InvalidValue"] = new(ErrorCategory.InvalidArgument, "my-api", "Set-McpToken my-api -FromEnvironment MCPSM_NOT_SET",
            "auth set my-api 'two words'", 2, _ => { }),
        ["OAuthDisabled"] = new(ErrorCategory.InvalidOperation, "my-api", Connect, Login, 1, s => s.Session.Run("Set-McpServer my-api -OAuth off")),

        ["AuthenticationRequired"] = new(ErrorCategory.AuthenticationError, "my-api", "Get-McpToken my-api", "auth token my-api", 4, _ => { }),
        ["InteractionRequired"] = new(ErrorCategory.AuthenticationError, "my-api", Connect + " -NonInteractive", Login + " --non-interactive", 4, _ => { }),
        ["RefreshTokenRejected"] = new(ErrorCategory.AuthenticationError, "my-api", "Update-McpToken my-api", "auth refresh my-api", 4, s =>
        {
            // A rejected credential is deleted, so each command needs a new one.
            s.SignIn();
            s.Issuer.Faults.Answer("/token", 400, """{"error":"invalid_grant"}""");
        }),
        ["TokenRejected"] = new(ErrorCategory.AuthenticationError, "my-api", Connect, Login, 1, s => s.Server.Introspect = _ => null),
        ["ClientRejected"] = new(ErrorCategory.AuthenticationError, "my-api", Connect, Login, 4,
            s => s.Issuer.Faults.Answer("/token", 400, """{"error":"unauthorized_client"}""")),
        ["AssertionRejected"] = new(ErrorCategory.AuthenticationError, "my-api", "Connect-McpServer my-api -AssertionVariable MCPSM_TEST_ASSERTION",
            "auth login my-api --assertion-from-env MCPSM_TEST_ASSERTION", 4, s =>
        {
            Environment.SetEnvironmentVariable("MCPSM_TEST_ASSERTION", "eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl");
            s.Issuer.Faults.Answer("/token", 400, """{"error":"invalid_grant"}""");
        }),
        ["AuthorizationDenied"] = new(ErrorCategory.PermissionDenied, "my-api", Connect, Login, 1, s => s.Session.Host.Click = ErrorFixture.DenyAsync),
        ["InsufficientScope"] = new(ErrorCategory.PermissionDenied, "my-api", Connect, Login, 1,
            s => s.Issuer.Faults.Answer("/token", 400, """{"error":"invalid_scope"}""")),

        ["StateMismatch"] = new(ErrorCategory.SecurityError, "my-api", Connect + " -TimeoutSec 2", Login + " --timeout 2", 1,
            s => s.Session.Host.Click = ErrorFixture.ForeignStateAsync),
        ["IssuerMismatch"] = new(ErrorCategory.SecurityError, "my-api", Connect, Login, 1,
            s => s.Issuer.Faults.RewriteJson(WellKnown, j => j["issuer"] = "https://other.example")),
        ["ResourceMismatch"] = new(ErrorCategory.SecurityError, "my-api", Connect, Login, 1, s => s.Server.ResourceMetadata = j =>
        {
            j["resource"] = "https://other.example/mcp";
            return j;
        }),
        ["PkceUnsupported"] = new(ErrorCategory.SecurityError, "my-api", Connect, Login, 1,
            s => s.Issuer.Faults.RewriteJson(WellKnown, j => j.Remove("code_challenge_methods_supported"))),
        ["UnsafeEndpoint"] = new(ErrorCategory.SecurityError, "my-api", Connect, Login, 1,
            s => s.Issuer.Faults.RewriteJson(WellKnown, j => j["token_endpoint"] = "http://public.example/token")),

        ["AuthenticationTimeout"] = new(ErrorCategory.OperationTimeout, "my-api", Connect + " -TimeoutSec 1", Login + " --timeout 1", 1,
            s => s.Session.Host.Clicks = false),
        ["ServerUnreachable"] = new(ErrorCategory.ConnectionError, "my-api", Connect, Login, 1, s =>
        {
            s.Taken.Stop();
            s.Taken.Start();
            var port = s.TakenPort;
            s.Taken.Stop();
            s.Session.Run("Set-McpServer my-api -Url $args[0]", $"http://127.0.0.1:{port}/mcp");
        }),
        ["CallbackPortInUse"] = new(ErrorCategory.ResourceBusy, "my-api", "Connect-McpServer my-api -NoBrowser", "auth login my-api --no-browser", 1, s =>
        {
            s.Session.Run("Set-McpServer my-api -ClientId mine");
            Environment.SetEnvironmentVariable("MCPSM_CALLBACK_PORT", $"{s.TakenPort}");
        }),
        ["MetadataInvalid"] = new(ErrorCategory.InvalidData, "my-api", Connect, Login, 1, s => s.Issuer.Faults.Answer(WellKnown, 200, "not json")),
        ["TokenResponseInvalid"] = new(ErrorCategory.InvalidData, "my-api", Connect, Login, 1, s => s.Issuer.Faults.Answer("/token", 200, "{}")),
        ["ProtocolViolation"] = new(ErrorCategory.ProtocolError, "my-api", Connect, Login, 1, s => s.Server.Faults.Answer("/mcp", 404)),
        ["ClientRegistrationFailed"] = new(ErrorCategory.InvalidOperation, "my-api", Connect, Login, 1,
            s => s.Issuer.Faults.Answer("/register", 400, """{"error":"invalid_client_metadata"}""")),

        ["VaultUnavailable"] = new(ErrorCategory.ResourceUnavailable, "my-api", "Set-McpToken my-api $token -Vault nosuch",
            Login + " --vault nosuch", 1, _ => { }),
        ["VaultLocked"] = new(ErrorCategory.ResourceUnavailable, "my-api", "Get-McpToken my-api", "auth token my-api", 1, s =>
        {
            s.SetToken();
            File.Delete(s.File("credentials.key"));
        }),
        ["VaultCorrupt"] = new(ErrorCategory.InvalidData, "my-api", "Get-McpToken my-api", "auth token my-api", 1, s =>
        {
            s.SetToken();
            File.WriteAllText(s.File("credentials.enc"), "damaged");
        }),
        ["SecretTooLarge"] = new(ErrorCategory.LimitsExceeded, "my-api", "Set-McpToken my-api $token -Vault credential-manager", null, 1, _ => { }),
        ["SecretNotFound"] = new(ErrorCategory.ObjectNotFound, "nosuch",
            "& (Get-Module Mcpsm) 'Mcpsm.Extension\\Remove-Secret' -Name nosuch -VaultName Mine -AdditionalParameters @{}", null, 1, _ => { }),
        ["SecretManagementMissing"] = new(ErrorCategory.NotInstalled, "my-api", "Set-McpToken my-api $token -Vault secretmanagement:Store",
            Login + " --vault secretmanagement:Store", 1, _ => { }),
        ["ConfigurationCorrupt"] = new(ErrorCategory.InvalidData, null, "Get-McpServer", "list", 1, s => File.WriteAllText(s.File("config.json"), "{")),
        ["ConfigurationUnavailable"] = new(ErrorCategory.ResourceUnavailable, "b", "Add-McpServer b https://b.example/mcp",
            "add b --type http --url https://b.example/mcp", 1, s => Environment.SetEnvironmentVariable("MCPSM_CONFIG_DIR", s.File("config.json") + "/below")),
    };
}
