using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Discovery;

/// <summary>Only the exact identifiers of Entra ID get the treatment of Entra ID.</summary>
public sealed class EntraIssuerTests
{
    [Theory]
    [InlineData("https://login.microsoftonline.com.evil.example/t/v2.0")]
    [InlineData("https://evil.example/login.microsoftonline.com/t/v2.0")]
    [InlineData("https://evil.example/?https://login.microsoftonline.com/t/v2.0")]
    [InlineData("http://login.microsoftonline.com/t/v2.0")]
    [InlineData("https://login.microsoftonline.com:443/t/v2.0")]
    [InlineData("https://login.microsoftonline.com:8443/t/v2.0")]
    [InlineData("https://login.microsoftonline.com@evil.example/t/v2.0")]
    [InlineData("https://login.microsoftonline.com\\@evil.example/t/v2.0")]
    [InlineData("https://evil.example\\login.microsoftonline.com/t/v2.0")]
    [InlineData("https://me@login.microsoftonline.com/t/v2.0")]
    [InlineData("https://login.microsoftonline.com./t/v2.0")]
    [InlineData("https://LOGIN.microsoftonline.com/t/v2.0")]
    [InlineData("https://login.mícrosoftonline.com/t/v2.0")]
    [InlineData("https://login.microsoftonline.com/")]
    [InlineData("https://login.microsoftonline.com")]
    [InlineData("https://login.microsoftonline.com//v2.0")]
    [InlineData("https://login.microsoftonline.com/t/v2.0?x=1")]
    [InlineData("https://login.microsoftonline.com/t/v2.0#x")]
    [InlineData("https://login.microsoftonline.com/../t/v2.0")]
    [InlineData("https://login.microsoftonline.com/t/more/v2.0")]
    [InlineData("https://login.microsoftonline.com/%74/v2.0")]
    [InlineData("https://login.microsoftonline.com/{tenantid}/v2.0")]
    [InlineData("https://login.microsoftonline.com/t/v2.0\n")]
    [InlineData(" https://login.microsoftonline.com/t/v2.0")]
    [InlineData("https://login.live.com/t/v2.0")]
    [InlineData("https://login.microsoftonline.us.evil.example/t/v2.0")]
    [InlineData("https://login.partner.microsoftonline.cn.evil.example/t/v2.0")]
    [InlineData("https://login.chinacloudapi.cn.evil.example/t/v2.0")]
    [InlineData("https://evil-login.microsoftonline.com/t/v2.0")]
    [InlineData("https://partner.microsoftonline.cn/t/v2.0")]
    [InlineData("https://microsoftonline.com/t/v2.0")]
    [InlineData("")]
    [InlineData(null)]
    public void Identifier_that_only_resembles_Entra_is_an_ordinary_issuer(string? identifier) => Assert.Null(EntraIssuer.Find(identifier));

    [Theory]
    [InlineData("https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0/", "https://login.microsoftonline.com/contoso.onmicrosoft.com", true)]
    [InlineData("https://login.microsoftonline.com/common", "https://login.microsoftonline.com/common", false)]
    [InlineData("https://login.microsoftonline.us/Organizations/v2.0", "https://login.microsoftonline.us/Organizations", false)]
    [InlineData("https://sts.windows.net/8e1b7a52-6c3f-4f0e-9d0a-2f6f3a1c5b77/",
        "https://login.microsoftonline.com/8e1b7a52-6c3f-4f0e-9d0a-2f6f3a1c5b77", true)]
    public void Endpoints_of_Entra_come_from_the_identifier(string identifier, string authority, bool oneTenant)
    {
        var issuer = EntraIssuer.Find(identifier)!;
        Assert.Equal(authority, issuer.Authority);
        Assert.Equal(oneTenant, issuer.IsOneTenant);
        var metadata = issuer.Describe(identifier);
        Assert.Equal(identifier, metadata.Issuer);
        Assert.StartsWith(authority + "/", metadata.TokenEndpoint);
        Assert.Null(metadata.RevocationEndpoint);
    }

    [Rule(6, 20, 25)]
    [Fact]
    public async Task Issuer_with_Entra_in_its_path_must_follow_every_rule()
    {
        var options = new AuthorizationServerOptions { IssuerPath = "/login.microsoftonline.com/common/v2.0" };
        await using var scene = await SignInFixture.StartAsync(options);
        await scene.LoginAsync();
        Assert.Equal(scene.Resource.McpUrl.AbsoluteUri, Assert.Single(scene.Issuer.Traffic.OfGrant("authorization_code")).FormValue("resource"));

        await using var silent = await SignInFixture.StartAsync(options);
        silent.Issuer.Faults.RewriteJson("/", json => json.Remove("code_challenge_methods_supported"));
        Assert.Equal(ErrorReason.PkceUnsupported, (await silent.FailsAsync()).Reason);

        await using var lying = await SignInFixture.StartAsync(options);
        lying.Issuer.Faults.RewriteJson("/", json => json["issuer"] = "https://login.microsoftonline.com/{tenantid}/v2.0");
        Assert.Equal(ErrorReason.IssuerMismatch, (await lying.FailsAsync()).Reason);
    }

    [Rule(6)]
    [Fact]
    public async Task Metadata_that_names_Entra_as_its_issuer_is_refused()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json["issuer"] = "https://login.microsoftonline.com/common/v2.0");
        Assert.Equal(ErrorReason.IssuerMismatch, (await scene.FailsAsync()).Reason);
    }
}
