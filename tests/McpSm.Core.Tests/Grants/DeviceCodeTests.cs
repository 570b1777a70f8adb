using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Grants;

public sealed class DeviceCodeTests
{
    private const string Grant = "urn:ietf:params:oauth:grant-type:device_code";

    private static readonly AuthorizationServerOptions Offered = new() { SupportsDeviceCode = true };

    private readonly ManualTimeProvider _clock = new();

    /// <summary>Starts a fixture in which the user approves the code, denies it, or does nothing.</summary>
    private async Task<SignInFixture> StartAsync(bool? approve, AuthorizationServerOptions? issuer = null)
    {
        var scene = await SignInFixture.StartAsync(issuer ?? Offered, clock: _clock);
        scene.Person.Device = code =>
        {
            if (approve is { } yes)
            {
                Assert.True(scene.Issuer.Server.DecideDevice(code.UserCode, yes));
            }
        };
        return scene;
    }

    private static SignInOptions ByDevice(SignInOptions o) => o with { UseDeviceCode = true, Timeout = SignInOptions.DefaultTimeout };

    [Rule(20, 37)]
    [Fact]
    public async Task Device_sign_in_shows_a_code_and_sends_the_resource_in_both_requests()
    {
        await using var scene = await StartAsync(approve: true);
        DeviceCode? shown = null;
        scene.Person.Device += code => shown = code;
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync(ByDevice)).Status.State);
        Assert.Equal(scene.Issuer.Issuer + "/device", shown!.VerificationUri.AbsoluteUri);
        Assert.Contains(shown.UserCode, shown.CompleteUri!.Query);
        Assert.Equal(scene.Resource.McpUrl.AbsoluteUri, Assert.Single(scene.Issuer.Traffic.To("/device_authorization")).FormValue("resource"));
        Assert.Equal(scene.Resource.McpUrl.AbsoluteUri, Assert.Single(scene.Issuer.Traffic.OfGrant(Grant)).FormValue("resource"));
        Assert.Contains(Grant, Assert.Single(scene.Issuer.Traffic.To("/register")).Json!["grant_types"]!.AsArray().Select(g => (string?)g));
        Assert.Empty(scene.Person.Visited);
        Assert.True(scene.Status.CanRenew);
    }

    [Rule(37)]
    [Fact]
    public async Task Slow_down_adds_five_seconds_permanently()
    {
        await using var scene = await StartAsync(approve: true);
        scene.Issuer.Faults.Answer("/token", 400, """{"error":"authorization_pending"}""", times: 1);
        scene.Issuer.Faults.Answer("/token", 400, """{"error":"slow_down"}""", times: 1);
        scene.Issuer.Faults.Answer("/token", 400, """{"error":"authorization_pending"}""", times: 1);
        scene.Issuer.Faults.Answer("/token", 400, """{"error":"slow_down"}""", times: 1);
        await scene.LoginAsync(ByDevice);
        Assert.Equal([5, 5, 10, 10, 15], _clock.Waits.Select(w => (int)w.TotalSeconds));
    }

    [FieldFault(19)]
    [Rule(37)]
    [Theory]
    [InlineData(503, "")]
    [InlineData(503, """{"error":"Service Unavailable"}""")]
    [InlineData(429, """{"error":"too_many_requests"}""")]
    public async Task Temporary_error_of_the_issuer_slows_the_polling_down(int status, string body)
    {
        await using var scene = await StartAsync(approve: true);
        scene.Issuer.Faults.Answer("/token", status, body, times: 1);
        await scene.LoginAsync(ByDevice);
        Assert.Equal([5, 10], _clock.Waits.Select(w => (int)w.TotalSeconds));
    }

    [FieldFault(29)]
    [Rule(37)]
    [Fact]
    public async Task Verification_page_in_the_member_of_Google_is_shown()
    {
        await using var scene = await StartAsync(approve: true);
        DeviceCode? shown = null;
        scene.Person.Device += code => shown = code;
        scene.Issuer.Faults.RewriteJson("/device_authorization", json =>
        {
            json["verification_url"] = json["verification_uri"]!.DeepClone();
            json.Remove("verification_uri");
            json.Remove("verification_uri_complete");
        });
        await scene.LoginAsync(ByDevice);
        Assert.Equal(scene.Issuer.Issuer + "/device", shown!.VerificationUri.AbsoluteUri);
    }

    [Rule(37)]
    [Theory]
    [InlineData("ABCD-EFGH", true)]
    [InlineData("a_b.c 1", true)]
    [InlineData(" 1234 ", true)]
    [InlineData("12345678901234567890123456789012", true)]
    [InlineData("123456789012345678901234567890123", false)]
    [InlineData("AB\u001b[2JCD", false)]
    [InlineData("AB\nCD", false)]
    [InlineData("\u0410BCD", false)]
    [InlineData("AB\u202eCD", false)]
    [InlineData("AB;CD", false)]
    [InlineData("   ", false)]
    public async Task User_code_is_short_and_plain_or_refused(string code, bool isShown)
    {
        await using var scene = await StartAsync(approve: null, Offered with { DeviceCodeLifetime = TimeSpan.FromSeconds(4) });
        var shown = new List<DeviceCode>();
        scene.Person.Device = shown.Add;
        scene.Issuer.Faults.RewriteJson("/device_authorization", json => json["user_code"] = code);
        var e = await scene.FailsAsync(ByDevice);
        Assert.Equal(isShown ? ErrorReason.AuthenticationTimeout : ErrorReason.TokenResponseInvalid, e.Reason);
        Assert.Equal(isShown ? [code.Trim()] : [], shown.Select(c => c.UserCode));
    }

    [Rule(37)]
    [Theory]
    [InlineData("verification_uri", "https://evil.example/device", "evil.example")]
    [InlineData("verification_uri_complete", "https://evil.example/device", "evil.example")]
    [InlineData("verification_uri", "https://b\u00fccher.example/device", "xn--bcher-kva.example")]
    [InlineData("verification_uri", null, null)]
    public async Task Verification_page_on_another_site_is_announced(string field, string? page, string? expected)
    {
        await using var scene = await StartAsync(approve: true);
        var shown = new List<DeviceCode>();
        scene.Person.Device += shown.Add;
        scene.Issuer.Faults.RewriteJson("/device_authorization", json => json[field] = page ?? json[field]!.DeepClone());
        await scene.LoginAsync(ByDevice);
        var code = Assert.Single(shown);
        Assert.Equal((expected, scene.Issuer.Issuer, "my-api"), (code.OtherSite, code.Issuer, code.Server));
        Assert.Equal(expected ?? "127.0.0.1", new[] { code.VerificationUri, code.CompleteUri! }.Select(u => u.Host)
            .FirstOrDefault(h => h != "127.0.0.1", "127.0.0.1"));
    }

    [Rule(37)]
    [Fact]
    public async Task Denied_device_code_ends_the_sign_in()
    {
        await using var scene = await StartAsync(approve: false);
        Assert.Equal(ErrorReason.AuthorizationDenied, (await scene.FailsAsync(ByDevice)).Reason);
        Assert.Single(scene.Issuer.Traffic.OfGrant(Grant));
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }

    [Rule(37)]
    [Fact]
    public async Task Expired_device_code_ends_the_sign_in()
    {
        await using var scene = await StartAsync(approve: null, Offered with { DeviceCodeLifetime = TimeSpan.FromSeconds(22) });
        Assert.Equal(ErrorReason.AuthenticationTimeout, (await scene.FailsAsync(ByDevice)).Reason);
        Assert.Equal(4, scene.Issuer.Traffic.OfGrant(Grant).Count);
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }

    [Fact]
    public async Task Time_limit_of_the_sign_in_follows_the_clock()
    {
        await using var scene = await StartAsync(approve: null);
        var failure = await scene.FailsAsync(o => ByDevice(o) with { Timeout = TimeSpan.FromSeconds(17) });
        Assert.Equal(ErrorReason.AuthenticationTimeout, failure.Reason);
        Assert.Contains("17 seconds", failure.Message);
        Assert.InRange(scene.Issuer.Traffic.OfGrant(Grant).Count, 2, 3);
    }

    [Rule(37)]
    [Fact]
    public async Task Expired_token_error_ends_the_sign_in()
    {
        await using var scene = await StartAsync(approve: null);
        scene.Issuer.Faults.Answer("/token", 400, """{"error":"expired_token"}""");
        Assert.Equal(ErrorReason.AuthenticationTimeout, (await scene.FailsAsync(ByDevice)).Reason);
        Assert.Single(scene.Issuer.Traffic.OfGrant(Grant));
    }

    [Rule(28, 37)]
    [Fact]
    public async Task Unsafe_verification_page_is_not_shown()
    {
        await using var scene = await StartAsync(approve: null);
        var shown = false;
        scene.Person.Device = _ => shown = true;
        scene.Issuer.Faults.RewriteJson("/device_authorization", json => json["verification_uri_complete"] = "javascript:alert(1)");
        Assert.Equal(ErrorReason.UnsafeEndpoint, (await scene.FailsAsync(ByDevice)).Reason);
        Assert.False(shown);
    }

    [Rule(37)]
    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("<html>")]
    [InlineData("""{"device_code":7,"user_code":"A","verification_uri":"http://127.0.0.1/"}""")]
    [InlineData("""{"device_code":"d","user_code":"A","expires_in":"soon","interval":[]}""")]
    public async Task Invalid_device_response_is_refused(string body)
    {
        await using var scene = await StartAsync(approve: null);
        scene.Issuer.Faults.Answer("/device_authorization", 200, body);
        Assert.Contains((await scene.FailsAsync(ByDevice)).Reason, new[] { ErrorReason.TokenResponseInvalid, ErrorReason.UnsafeEndpoint });
    }

    [Rule(37)]
    [Fact]
    public async Task Issuer_without_device_grant_is_reported()
    {
        await using var scene = await StartAsync(approve: null, new AuthorizationServerOptions());
        var e = await scene.FailsAsync(ByDevice);
        Assert.Equal(ErrorReason.MetadataInvalid, e.Reason);
        Assert.Contains("--device", e.Remedy.InShell());
    }

    [Theory]
    [InlineData(300, 600)]
    [InlineData(90, 90)]
    [InlineData(900, 600)]
    public async Task Shown_lifetime_is_limited_by_the_timeout(int seconds, int expected)
    {
        await using var scene = await StartAsync(approve: true);
        DeviceCode? shown = null;
        scene.Person.Device += code => shown = code;
        await scene.LoginAsync(o => ByDevice(o) with { Timeout = TimeSpan.FromSeconds(seconds) });
        Assert.Equal(expected, shown!.Lifetime.TotalSeconds);
    }

    [Theory]
    [InlineData(true, false, true)]
    [InlineData(false, false, false)]
    [InlineData(true, true, false)]
    public async Task Device_code_is_chosen_without_a_desktop_if_offered(
        bool offered, bool noBrowser, bool chosen)
    {
        Assert.SkipWhen(OperatingSystem.IsMacOS() || OperatingSystem.IsWindows(), "this system always has a desktop");
        await using var scene = await StartAsync(approve: true, new AuthorizationServerOptions { SupportsDeviceCode = offered });
        scene.Work.Variables.Remove("DISPLAY");
        if (noBrowser)
        {
            scene.Person.ReadRedirect = async ct =>
            {
                using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
                using var answer = await http.GetAsync(scene.Person.Shown, ct);
                return answer.Headers.Location!.AbsoluteUri;
            };
        }
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync(o => o with { NoBrowser = noBrowser })).Status.State);
        Assert.Equal(chosen ? 1 : 0, scene.Issuer.Traffic.Count("/device_authorization"));
        Assert.Equal(chosen ? 0 : 1, scene.Issuer.Traffic.Count("/authorize"));
        Assert.Equal(chosen, scene.Person.Notices.Any(n => n.Contains("has no desktop")));
    }
}
