using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Grants;

/// <summary>A client that signs in with a key, without a user.</summary>
public sealed class PrivateKeyJwtTests
{
    private static AuthorizationServerOptions IssuerWith(string key) => new()
    {
        PreRegisteredClients = [new RegisteredClient("job", null, [], "private_key_jwt") { AssertionKey = key }],
    };

    private static Func<SignInOptions, SignInOptions> With(ClientKey key) =>
        o => o with { ClientCredentials = new ClientCredentials("job", Key: key) };

    private static JsonElement Part(string jwt, int index) =>
        JsonDocument.Parse(Base64Url.DecodeFromChars(jwt.Split('.')[index])).RootElement;

    [Rule(20, 33)]
    [Theory]
    [InlineData("RS256", false)]
    [InlineData("RS256", true)]
    [InlineData("ES256", false)]
    [InlineData("ES256", true)]
    public async Task Client_assertion_is_short_lived_and_verified_by_the_issuer(string algorithm, bool certificate)
    {
        var keys = Keys.Of(algorithm);
        using var withKey = keys.WithKey();
        await using var scene = await SignInFixture.StartAsync(IssuerWith(certificate ? keys.Certificate : keys.Public));
        scene.Person.CanAnswer = false;
        await scene.LoginAsync(With(certificate ? ClientKey.FromCertificate(withKey) : ClientKey.FromPem(keys.Private)));
        await scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.Equal((AuthState.Authenticated, true), (scene.Status.State, scene.Status.CanRenew));

        var requests = scene.Issuer.Traffic.OfGrant("client_credentials");
        Assert.Equal(2, requests.Count);
        Assert.All(requests, request =>
        {
            Assert.Equal(scene.Resource.McpUrl.AbsoluteUri, request.FormValue("resource"));
            Assert.Equal("urn:ietf:params:oauth:client-assertion-type:jwt-bearer", request.FormValue("client_assertion_type"));
            Assert.Null(request.Header("Authorization"));
            Assert.Null(request.FormValue("client_secret"));
            var jwt = request.FormValue("client_assertion")!;
            var (header, claims) = (Part(jwt, 0), Part(jwt, 1));
            Assert.Equal(algorithm, header.GetProperty("alg").GetString());
            Assert.Equal(certificate, header.TryGetProperty("x5t#S256", out _));
            Assert.Equal(("job", "job"), (claims.GetProperty("iss").GetString(), claims.GetProperty("sub").GetString()));
            Assert.Equal(scene.Issuer.Issuer, claims.GetProperty("aud").GetString());
            Assert.InRange(claims.GetProperty("exp").GetInt64() - claims.GetProperty("iat").GetInt64(), 1, 300);
        });
        Assert.Equal(2, requests.Select(r => Part(r.FormValue("client_assertion")!, 1).GetProperty("jti").GetString()).Distinct().Count());

        await scene.Authenticator.SignIn.SignOutAsync(scene.Server, local: false, Cancellation);
        Assert.Equal(TokenState.Revoked, scene.Issuer.Server.IssuedTokens[^1].State);
    }

    [Rule(33)]
    [Fact]
    public async Task Key_of_another_client_is_refused()
    {
        await using var scene = await SignInFixture.StartAsync(IssuerWith(Keys.Of("ES256").Public));
        foreach (var algorithm in new[] { "ES256", "RS256" })
        {
            var e = await scene.FailsAsync(With(ClientKey.FromPem(Keys.Of(algorithm).Private)));
            Assert.Equal(ErrorReason.ClientRejected, e.Reason);
            Assert.Contains("its signature is not the client's", e.Message);
        }
    }

    [Fact]
    public async Task Test_issuer_accepts_a_valid_assertion_only_once()
    {
        var keys = Keys.Of("ES256");
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.StartAsync(IssuerWith(keys.Public), clock: clock);
        await using var second = await TestIssuer.StartAsync(IssuerWith(keys.Public) with { TimeProvider = clock });
        await scene.LoginAsync(With(ClientKey.FromPem(keys.Private)));
        var form = Assert.Single(scene.Issuer.Traffic.To("/token")).Form.ToDictionary(p => p.Key, p => p.Value.ToString());

        Assert.Contains("used before", await PostAsync(scene.Issuer, form));
        Assert.Contains("aud must be the issuer", await PostAsync(second, form));
        var jwt = form["client_assertion"];
        Assert.Contains("signature", await PostAsync(scene.Issuer, new(form) { ["client_assertion"] = jwt[..^4] + "AAAA" }));
        Assert.Contains("not a JWT", await PostAsync(scene.Issuer, new(form) { ["client_assertion"] = "e30.W10.e30" }));
        clock.Advance(TimeSpan.FromMinutes(3));
        Assert.Contains("expired", await PostAsync(scene.Issuer, form));
    }

    private static async Task<string> PostAsync(TestIssuer issuer, Dictionary<string, string> form)
    {
        using var http = new HttpClient();
        using var content = new FormUrlEncodedContent(form);
        using var answer = await http.PostAsync(issuer.Server.TokenEndpoint, content);
        Assert.Equal(401, (int)answer.StatusCode);
        return await answer.Content.ReadAsStringAsync();
    }

    [Fact]
    public async Task Client_key_is_stored_only_in_the_vault()
    {
        var keys = Keys.Of("ES256");
        await using var scene = await SignInFixture.StartAsync(IssuerWith(keys.Public));
        await scene.LoginAsync(With(ClientKey.FromPem(keys.Private)));
        var piece = keys.Private.Split('\n')[1];
        foreach (var file in Directory.EnumerateFiles(scene.Work.Folder, "*", SearchOption.AllDirectories))
        {
            Assert.DoesNotContain(piece, System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(file)));
        }
    }

    [Fact]
    public async Task Key_file_named_by_a_variable_is_used()
    {
        var keys = Keys.Of("RS256");
        await using var scene = await SignInFixture.StartAsync(IssuerWith(keys.Public));
        scene.Person.CanAnswer = false;
        scene.Work.Variables["MCPSM_CLIENT_ID"] = "job";
        scene.Work.Variables["MCPSM_CLIENT_KEY_FILE"] = Path.Combine(scene.Work.Folder, "key.pem");
        File.WriteAllText(scene.Work.Variables["MCPSM_CLIENT_KEY_FILE"], keys.Private);
        await scene.LoginAsync();
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
    }

    [Theory]
    [InlineData("pkcs1")]
    [InlineData("sec1")]
    [InlineData("bundle")]
    [InlineData("chain")]
    public async Task Key_in_any_PEM_form_is_read(string form)
    {
        var keys = Keys.Of(form == "pkcs1" ? "RS256" : "ES256");
        using var withKey = keys.WithKey();
        using var rsa = withKey.GetRSAPrivateKey();
        using var ecdsa = withKey.GetECDsaPrivateKey();
        var pem = form switch
        {
            "pkcs1" => rsa!.ExportRSAPrivateKeyPem(),
            "sec1" => "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + ecdsa!.ExportECPrivateKeyPem(),
            "bundle" => keys.Certificate + "\r\n" + keys.Private,
            _ => keys.Private + "\n" + Keys.Of("RS256").Certificate + "\n" + keys.Certificate,
        };
        await using var scene = await SignInFixture.StartAsync(IssuerWith(form is "bundle" or "chain" ? keys.Certificate : keys.Public));
        await scene.LoginAsync(With(ClientKey.FromPem(pem)));
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
    }

    public static TheoryData<string, string> BadKeys()
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var encrypted = ecdsa.ExportEncryptedPkcs8PrivateKeyPem("p", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1));
        var keys = Keys.Of("ES256");
        return new()
        {
            { "", "not an RSA or EC private key" },
            { "nothing", "not an RSA or EC private key" },
            { keys.Public, "not an RSA or EC private key" },
            { keys.Certificate, "not an RSA or EC private key" },
            { keys.Private[..80], "not an RSA or EC private key" },
            { encrypted, "it is encrypted" },
            { Keys.OfRsa(1024).Private, "2048 bits" },
            { Keys.OfEc(ECCurve.NamedCurves.nistP384).Private, "P-256" },
            { keys.Private + "\n" + Keys.Of("ES256").Certificate, "no certificate in the PEM text" },
        };
    }

    [Theory]
    [MemberData(nameof(BadKeys))]
    public void Unusable_key_is_refused_before_any_request(string pem, string text)
    {
        var e = Assert.Throws<McpAuthException>(() => ClientKey.FromPem(pem));
        Assert.Equal(ErrorReason.InvalidValue, e.Reason);
        Assert.Contains(text, e.Message);
        Assert.DoesNotContain("PRIVATE KEY", e.Message);
    }

    [Fact]
    public void Certificate_without_key_is_refused()
    {
        using var bare = X509CertificateLoader.LoadCertificate(Keys.Of("ES256").WithKey().RawData);
        Assert.Contains("the certificate has no private key", Assert.Throws<McpAuthException>(() => ClientKey.FromCertificate(bare)).Message);
    }

    [Fact]
    public async Task Key_in_the_certificate_store_signs_without_export()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "On other systems this would write to the person's own store.");
        var keys = Keys.Of("ES256");
        await using var scene = await SignInFixture.StartAsync(IssuerWith(keys.Certificate));
        // The certificate is in the user's .NET store, a folder, only for this test.
        using var withKey = X509CertificateLoader.LoadPkcs12(keys.WithKey().Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.PersistKeySet);
        using var store = new X509Store(StoreName.My, StoreLocation.CurrentUser, OpenFlags.ReadWrite);
        store.Add(withKey);
        try
        {
            await scene.LoginAsync(With(new ClientKey { Thumbprint = withKey.Thumbprint }));
            await scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation);
        }
        finally
        {
            store.Remove(withKey);
        }
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal(ErrorReason.AuthenticationRequired, e.Reason);
        Assert.Contains("no longer in the certificate store", e.Message);
    }
}
