using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Xml.Linq;
using McpSm.Core.Configuration;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Install;

/// <summary>Tests that install the packages of <c>mcpsm</c> from a local folder into an empty home and run them.</summary>
public sealed class InstallTests
{
    private static readonly string Here = RuntimeInformation.RuntimeIdentifier;

    [Fact]
    public async Task Archive_matches_its_checksum_and_runs()
    {
        using var home = EmptyHome.OrSkip();
        var archive = Directory.GetFiles(home.Packages, $"mcpsm-*-{Here}.tar.gz");
        Require.OrSkip(archive.Length == 1, $"The packages have no archive of a native executable for {Here}.");
        Require.Programs("sh", "sha256sum", "tar", "gzip");
        await home.RunAsync("sh", "-c", "cd \"$1\" && sha256sum --check --strict SHA256SUMS", "sh", home.Packages);
        await home.RunAsync("tar", "-xzf", archive[0]);
        var unpacked = Path.Combine(home.Folder, Path.GetFileName(archive[0])[..^".tar.gz".Length]);
        Assert.Equal(["LICENSE", "README.md", "THIRD-PARTY-NOTICES-aspnetcore.txt", "THIRD-PARTY-NOTICES-dotnet.txt", "THIRD-PARTY-NOTICES.md", "mcpsm"],
            Directory.GetFileSystemEntries(unpacked).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal));
        await WorksAsync(home, Path.Combine(unpacked, "mcpsm"));
    }

    [Fact]
    public async Task Checksum_list_names_every_file()
    {
        using var home = EmptyHome.OrSkip();
        var summed = (await File.ReadAllLinesAsync(Path.Combine(home.Packages, "SHA256SUMS"), Cancellation)).Select(l => l[66..]);
        var made = Directory.GetFiles(home.Packages, "*", SearchOption.AllDirectories)
            .Select(p => Path.GetRelativePath(home.Packages, p).Replace('\\', '/')).Where(p => p != "SHA256SUMS");
        Assert.Equal(made.Order(StringComparer.Ordinal), summed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Tool_package_of_this_platform_is_native()
    {
        using var home = EmptyHome.OrSkip();
        var tool = Path.Combine(home.Packages, "tool");
        Require.OrSkip(Directory.GetFiles(tool, $"mcpsm.{Here}.*.nupkg").Length == 1, $"The packages have no native tool for {Here}.");
        await InstallAsync(home, tool, Here);
    }

    [Fact]
    public async Task Tool_package_of_another_platform_is_portable()
    {
        using var home = EmptyHome.OrSkip();
        var tool = Directory.CreateDirectory(Path.Combine(home.Folder, "packages")).FullName;
        foreach (var package in Directory.GetFiles(Path.Combine(home.Packages, "tool")))
        {
            File.Copy(package, Path.Combine(tool, Path.GetFileName(package)));
        }
        // Without the native package of this platform.
        var chooser = Directory.GetFiles(tool, "mcpsm.*.nupkg").Single(p => char.IsAsciiDigit(Path.GetFileName(p)["mcpsm.".Length]));
        using (var zip = await ZipFile.OpenAsync(chooser, ZipArchiveMode.Update, Cancellation))
        {
            var entry = zip.GetEntry("tools/any/any/DotnetToolSettings.xml")!;
            XDocument settings;
            using (var read = await entry.OpenAsync(Cancellation))
            {
                settings = XDocument.Load(read);
            }
            settings.Descendants("RuntimeIdentifierPackage").Where(p => p.Attribute("RuntimeIdentifier")!.Value != "any").Remove();
            entry.Delete();
            using var write = zip.CreateEntry(entry.FullName).Open();
            settings.Save(write);
        }
        await InstallAsync(home, tool, "any");
    }

    private static async Task InstallAsync(EmptyHome home, string packages, string platform)
    {
        var tools = Path.Combine(home.Folder, "tools");
        // This folder is the only package source.
        await home.RunAsync("dotnet", "tool", "install", "mcpsm", "--tool-path", tools, "--source", packages, "--version", ProductInfo.Version);
        Assert.True(Directory.Exists(Path.Combine(tools, ".store", "mcpsm", ProductInfo.Version, $"mcpsm.{platform}")),
            $"It is not mcpsm.{platform} that was installed.");
        await WorksAsync(home, Directory.GetFiles(tools, "mcpsm*").Single());
    }

    private static async Task WorksAsync(EmptyHome home, string mcpsm)
    {
        Assert.Equal(ProductInfo.Version, (await home.RunAsync(mcpsm, "--version")).Trim());
        Assert.Equal("[]", (await home.RunAsync(mcpsm, "auth", "status", "--json")).Trim());
        await home.RunAsync(mcpsm, "add", "my-api", "--type", "http", "--url", "https://a.example/mcp");
        Assert.Contains("✘ Not authenticated", await home.RunAsync(mcpsm, "auth", "status"));
        Assert.True(File.Exists(Path.Combine(home.Folder, ".mcp-manager", "config.json")));
    }
}
