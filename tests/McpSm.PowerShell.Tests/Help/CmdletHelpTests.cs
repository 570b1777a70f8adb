using System.Buffers.Text;
using System.Management.Automation;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using McpSm.PowerShell.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.PowerShell.Tests.Help;

/// <summary>Tests that compare the output of Get-Help with the cmdlets, and run the examples.</summary>
[Collection(SerialCollection.Name)]
public sealed partial class CmdletHelpTests
{
    private static readonly string Pages = Path.Combine(Path.GetDirectoryName(ModuleSession.Module)!, "..", "..", "..", "docs", "en-US");

    private const string Url = "https://example.com/mcp";
    private const string Provider = "https://login.example.com";

    public static TheoryData<string> Commands => [.. Directory.GetFiles(Pages, "*-*.md").Select(f => Path.GetFileNameWithoutExtension(f)).Order()];

    public static TheoryData<string> Topics => ["about_Mcpsm", "about_McpAuthentication", "about_McpVaults", "about_McpTroubleshooting"];

    /// <summary>The command and the code of every example on every page.</summary>
    public static TheoryData<string, string> Examples
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var file in Directory.GetFiles(Pages, "*-*.md").Order())
            {
                foreach (Match code in Code().Matches(File.ReadAllText(file).ReplaceLineEndings("\n")))
                {
                    data.Add(Path.GetFileNameWithoutExtension(file), code.Groups[1].Value);
                }
            }
            return data;
        }
    }

    [Fact]
    public void Every_command_has_a_help_page()
    {
        using var session = new ModuleSession();
        var commands = session.Run("(Get-Command -Module Mcpsm -CommandType Cmdlet, Function).Name").Select(o => o.ToString()!);
        Assert.Equal(commands.Order(), Directory.GetFiles(Pages, "*-*.md").Select(f => Path.GetFileNameWithoutExtension(f)).Order());
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Help_lists_exactly_the_parameters_and_sets_of_the_command(string command)
    {
        using var session = new ModuleSession();
        dynamic help = session.Run("Get-Help $args[0] -Full", command)[0];
        var info = (CommandInfo)session.Run("Get-Command $args[0]", command)[0].BaseObject;
        var sets = info.ParameterSets.Select(s => s.Parameters.Select(p => p.Name).Except(Cmdlet.CommonParameters).Order().ToList()).ToList();

        var shown = Texts(session, "(Get-Help $args[0] -Full).parameters.parameter.name", command);
        Assert.Equal(sets.SelectMany(s => s).Distinct().Order(), shown.Order());
        foreach (var name in shown)
        {
            Assert.NotEqual("", session.Text("(Get-Help $args[0] -Parameter $args[1]).description.Text", command, name));
        }
        var syntax = session.Run("(Get-Help $args[0] -Full).syntax.syntaxItem.ForEach({ ($_.parameter.name | Where-Object { $_ }) -join ' ' })", command)
            .Select(o => string.Join(' ', o.ToString()!.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order()));
        Assert.Equal(sets.Select(s => string.Join(' ', s)).Order(), syntax.Order());
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Help_has_a_synopsis_a_description_two_examples_and_a_link(string command)
    {
        using var session = new ModuleSession();
        Assert.Matches(@"^[A-Z][^\n]*\.$", session.Text("(Get-Help $args[0]).Synopsis.Trim()", command));
        Assert.NotEqual("", session.Text("(Get-Help $args[0] -Full).description.Text", command));
        Assert.InRange(int.Parse(session.Text("@((Get-Help $args[0] -Examples).examples.example).Count", command)), 2, 9);
        var uri = session.Text("(Get-Command $args[0]).HelpUri", command);
        var online = session.Text("@((Get-Help $args[0] -Full).relatedLinks.navigationLink.uri)[0]", command);
        Assert.Matches($"^https://.+/docs/en-US/{command}\\.md$", online);
        Assert.True(File.Exists(Path.Combine(Pages, new Uri(online).Segments[^1])), online);
        // Only an advanced function has a HelpUri, and this function must not be one. Get-Help -Online then uses the link of the help file.
        Assert.Equal(command == "Invoke-Mcpsm" ? "" : online, uri);
        foreach (var link in Texts(session, "(Get-Help $args[0] -Full).relatedLinks.navigationLink.linkText", command).Where(l => l != "Online"))
        {
            Assert.True(File.Exists(Path.Combine(Pages, link + ".md")), link);
        }
    }

    [Theory]
    [MemberData(nameof(Topics))]
    public void Help_topic_is_found_and_fits_80_columns(string topic)
    {
        using var session = new ModuleSession();
        var lines = session.Text("Get-Help $args[0]", topic).Split('\n');
        Assert.Contains(lines, l => l.StartsWith("LONG DESCRIPTION"));
        Assert.All(lines, l => Assert.InRange(l.TrimEnd().Length, 0, 80));
        Assert.NotEqual("", session.Text("(Get-Help $args[0]).Synopsis", topic));
        // Every command that the topic names exists.
        var names = CommandName().Matches(string.Join('\n', lines)).Select(m => m.Value).Distinct();
        Assert.All(names, name => Assert.Equal(name, session.Text("(Get-Command $args[0] -Module Mcpsm).Name", name)));
    }

    [Fact]
    public void Help_pages_name_only_existing_parameters()
    {
        using var session = new ModuleSession();
        var wrong = new List<string>();
        foreach (var file in Directory.GetFiles(Pages, "*.md"))
        {
            foreach (Match use in Use().Matches(File.ReadAllText(file)))
            {
                var known = (CommandInfo)session.Run("Get-Command $args[0]", use.Groups[1].Value)[0].BaseObject;
                wrong.AddRange(use.Groups[2].Captures.Select(c => c.Value.TrimStart('-')).Where(p => !known.Parameters.ContainsKey(p))
                    .Select(p => $"{Path.GetFileName(file)}: {known.Name} -{p}"));
            }
        }
        Assert.Empty(wrong);
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public async Task Help_example_runs_without_an_error(string command, string code)
    {
        await using var platform = await WorkloadPlatform.StartAsync();
        await using var issuer = await AuthorizationServer.StartAsync(new AuthorizationServerOptions
        {
            AutoApprove = true,
            TrustedPlatforms = [platform.Trusted],
            PreRegisteredClients = [new RegisteredClient("machine", "s3cr3t-of-it", [], "client_secret_basic")],
        });
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        await using var provider = await AuthorizationServer.StartAsync(new AuthorizationServerOptions
        {
            AutoApprove = true,
            Organisation = new Organisation(),
            ScopesSupported = ["openid", "offline_access"],
            PreRegisteredClients =
                [new RegisteredClient("mcpsm-at-work", null, [.. Enumerable.Range(1024, 64512).Select(port => $"http://127.0.0.1:{port}/callback")], "none")],
        });
        using var session = new ModuleSession(withSecretManagement: true);
        (string Name, string? Value)[] variables =
        [
            ("BROWSER", OperatingSystem.IsWindows() ? "rundll32.exe user32.dll,UpdatePerUserSystemParameters" : "true"),
            ("MCPSM_CALLBACK_PORT", "0"), ("MCPSM_VAULT", null),
            ("MY_TOKEN", "from-variable"), ("MY_CLIENT_ID", "machine"), ("MY_CLIENT_SECRET", "s3cr3t-of-it"), ("MY_API_TOKEN", null),
            ("MY_ID_TOKEN", IdToken(provider.Issuer)),
        ];
        foreach (var (name, value) in variables)
        {
            Environment.SetEnvironmentVariable(name, value);
        }
        Prepare(session, server.McpUrl.AbsoluteUri);
        if (command.EndsWith("IdentityProvider", StringComparison.Ordinal))
        {
            session.Run("Set-McpIdentityProvider $args[0] -ClientId mcpsm-at-work; $null = Connect-McpIdentityProvider", provider.Issuer);
            Assert.Empty(session.Errors.Select(e => e.ToString()));
        }
        var assertion = Path.Combine(session.Folder, "assertion");
        File.WriteAllText(assertion, platform.Sign(issuer.Issuer));
        var before = Files(session);

        session.Run(code.Replace(Url, server.McpUrl.AbsoluteUri).Replace(Provider, provider.Issuer).Replace("/var/run/secrets/mcpsm/token", assertion));

        // A line of mcpsm on standard error can be a hint, so only the exit code counts.
        Assert.Empty(session.Errors.Where(e => !e.FullyQualifiedErrorId.StartsWith("NativeCommandError", StringComparison.Ordinal)).Select(e => e.ToString()));
        Assert.True(command != "Invoke-Mcpsm" || session.Text("$LASTEXITCODE") == "0");
        // These are the only expected warnings: a page describes the first, and one server of the session has a plaintext token.
        Assert.All(session.Warnings, w => Assert.True(w.Contains("stay in another vault") && code == "Set-McpVault secretmanagement:Store"
            || w.Contains("a secret of 'plain' in plaintext") && code.StartsWith("Test-McpServer |", StringComparison.Ordinal), w));
        Assert.Contains(command == "Invoke-Mcpsm" ? "mcpsm" : command, code);
        var changes = command.Split('-')[0] is "Add" or "Set" or "Remove" or "Connect" or "Disconnect" or "Update" or "Clear" or "Deny" or "Import";
        // An example of a cmdlet that changes something must change something, unless its text says otherwise.
        Assert.True(changes == !before.SequenceEqual(Files(session)) || code.Contains("-WhatIf")
            || code.Contains("Connect-McpServer -All") || command == "Invoke-Mcpsm"
            || code.Contains("| Update-McpToken") || code.Contains("-Scope @()"), "the files changed, or did not change, against the verb");
    }

    /// <summary>Adds a server with a sign-in, one with a token and one with a plaintext token, and the commands that the bare engine lacks.</summary>
    private static void Prepare(ModuleSession session, string url)
    {
        var config = Path.Combine(session.Folder, "config.json");
        session.Run("$null = Add-McpServer my-api $args[0]; $null = Connect-McpServer my-api -Vault file; "
            + "$null = Add-McpServer other-api https://other.example/mcp; $null = Add-McpServer plain https://plain.example/mcp; "
            + "Set-McpToken other-api $args[1] -Vault file; Set-McpVault file", url, new NetworkCredential("", "of-other-api").SecurePassword);
        Assert.Empty(session.Errors.Select(e => e.ToString()));
        File.WriteAllText(config, File.ReadAllText(config)
            .Replace("https://plain.example/mcp\"", "https://plain.example/mcp\", \"bearerToken\": \"in-plaintext\""));
        session.Run("$global:StandInVaults['Store'] = @{ IsDefault = $false; ModuleName = 'Some.Store'; Secrets = @{}; Mode = ''; AlwaysSecure = $false }");
        session.Host.Typed.Enqueue("typed-token");
        // Commands of modules that only a complete pwsh has.
        session.Run("""
            function global:ConvertTo-Json([Parameter(ValueFromPipeline)] $InputObject, [int] $Depth) {
                [System.Text.Json.JsonSerializer]::Serialize($InputObject, [hashtable], [System.Text.Json.JsonSerializerOptions]::new())
            }
            function global:ConvertTo-SecureString([string] $String, [switch] $AsPlainText) { [System.Net.NetworkCredential]::new('', $String).SecurePassword }
            function global:Read-Host([string] $Prompt, [switch] $AsSecureString) { ConvertTo-SecureString 'typed-passphrase' }
            function global:Get-Secret([string] $Name) { ConvertTo-SecureString 'kept-elsewhere' }
            function global:Invoke-RestMethod(
                [string] $Uri, [string] $Method, [string] $Body, [string] $ContentType, [hashtable] $Headers, [string] $Authentication, [securestring] $Token) {
                $request = [System.Net.Http.HttpRequestMessage]::new($Method, $Uri)
                $request.Content = [System.Net.Http.StringContent]::new($Body, [System.Text.Encoding]::UTF8, $ContentType)
                foreach ($name in $Headers.Keys) { [void]$request.Headers.TryAddWithoutValidation($name, $Headers[$name]) }
                if ($Authentication) {
                    $plain = [System.Net.NetworkCredential]::new('', $Token).Password
                    $request.Headers.Authorization = [System.Net.Http.Headers.AuthenticationHeaderValue]::new($Authentication, $plain)
                }
                $answer = [System.Net.Http.HttpClient]::new().Send($request)
                if ([int]$answer.StatusCode -in 401, 403) { throw "$($answer.StatusCode)" }
            }
            """);
    }

    /// <summary>Returns an ID token like that of another program. Mcpsm reads it; only the provider checks its signature.</summary>
    private static string IdToken(string issuer) => string.Join('.', new[] { """{"alg":"none"}""",
        $$"""{"iss":"{{issuer}}","aud":"mcpsm-at-work","sub":"U-0001","exp":{{DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds()}}}""", "signature" }
        .Select(part => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part))));

    private static IReadOnlyList<string> Texts(ModuleSession session, string script, params object[] arguments) =>
        [.. session.Run(script, arguments).Where(o => o is not null).Select(o => o.ToString()!.Trim()).Where(t => t.Length > 0)];

    private static Dictionary<string, string> Files(ModuleSession session) =>
        Directory.EnumerateFiles(session.Folder).Order().ToDictionary(f => f, f => Convert.ToHexString(File.ReadAllBytes(f)));

    [GeneratedRegex(@"```powershell\n(.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex(@"\b[A-Z][a-z]+-Mcp[A-Za-z]+\b")]
    private static partial Regex CommandName();

    /// <summary>Matches a cmdlet of Mcpsm and its parameters.</summary>
    [GeneratedRegex(@"\b([A-Z][a-z]+-Mcp[A-Za-z]+)(?:[ \t]+(?:(-[A-Z][A-Za-z]+)|[a-z$'@][\w:./$'*-]*))+")]
    private static partial Regex Use();
}
