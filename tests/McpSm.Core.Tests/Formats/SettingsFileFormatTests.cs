using System.Text;
using McpSm.Core.Configuration;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Formats;

/// <summary><c>settings.json</c>.</summary>
public sealed class SettingsFileFormatTests
{
    private static GoldenFile Golden => GoldenFile.OfCore("settings.json");

    /// <summary>The file with the settings that users write by hand, and a setting of another program.</summary>
    private const string ByHand = """{"theme":"dark","callbackPort":8899,"clientMetadataUrl":"https://client.example/metadata.json"}""";

    [Fact]
    public async Task Settings_made_one_by_one_equal_the_golden_file()
    {
        using var work = new TestEnvironment();
        File.WriteAllText(work.Home.PathOf("settings.json"), ByHand);
        var settings = new Settings(work.Home);
        await settings.SetVaultAsync("file", Cancellation);
        await settings.SetIdentityProviderAsync(new(SampleCredentials.IdentityProvider, "made-up-idp-client", ["openid", "groups"]), Cancellation);
        await settings.AddMovingFromAsync("secretmanagement:Made up", Cancellation);
        await settings.AddEndedAsync("secret-service", "mcpsm-old", Cancellation);
        Golden.RequireEqual(File.ReadAllBytes(work.Home.PathOf("settings.json")));
    }

    [Fact]
    public void Golden_file_is_read_as_the_same_settings()
    {
        using var work = new TestEnvironment();
        Golden.CopyTo(work.Folder);
        var settings = new Settings(work.Home);
        Assert.Equal("file", settings.Vault);
        Assert.Equal("https://client.example/metadata.json", settings.ClientMetadataUrl);
        Assert.Equal(8899, settings.CallbackPort);
        Assert.Equal(["secretmanagement:Made up", "secret-service"], settings.MovingFrom);
        Assert.True(settings.IsEnded("secret-service", "mcpsm-old"));
        Assert.Equal(SampleCredentials.IdentityProvider, settings.IdentityProvider!.Issuer);
        Assert.Equal("made-up-idp-client", settings.IdentityProvider.ClientId);
        Assert.Equal(["openid", "groups"], settings.IdentityProvider.Scopes);
    }

    [Fact]
    public async Task Settings_with_a_name_are_added_to_those_of_the_golden_file()
    {
        using var work = new TestEnvironment();
        Golden.CopyTo(work.Folder);
        var settings = new Settings(work.Home);
        foreach (var setting in UserSetting.All)
        {
            await settings.SetAsync(setting, "made-up " + setting.Name, Cancellation);
        }
        var added = """
            ,
              "vaultKeyFile": "made-up vault-key-file",
              "proxy": "made-up proxy",
              "noProxy": "made-up no-proxy",
              "caFile": "made-up ca-file"
            }
            """;
        Assert.Equal(Encoding.UTF8.GetString(Golden.Bytes).TrimEnd().TrimEnd('}').TrimEnd() + added, File.ReadAllText(work.Home.PathOf("settings.json")));
        Assert.Equal(UserSetting.All.Select(setting => "made-up " + setting.Name), UserSetting.All.Select(settings.Find));

        foreach (var setting in UserSetting.All)
        {
            await settings.SetAsync(setting, null, Cancellation);
        }
        Golden.RequireEqual(File.ReadAllBytes(work.Home.PathOf("settings.json")));
    }

    [Fact]
    public async Task Golden_file_changed_and_changed_back_stays_byte_equal()
    {
        using var work = new TestEnvironment();
        Golden.CopyTo(work.Folder);
        var settings = new Settings(work.Home);
        await settings.SetVaultAsync("another", Cancellation);
        Assert.NotEqual(Golden.Bytes, File.ReadAllBytes(work.Home.PathOf("settings.json")));
        await settings.SetVaultAsync("file", Cancellation);
        Golden.RequireEqual(File.ReadAllBytes(work.Home.PathOf("settings.json")));
    }
}
