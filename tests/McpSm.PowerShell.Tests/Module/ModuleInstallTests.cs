using System.IO.Compression;
using System.Xml.Linq;
using McpSm.TestServers;
using Xunit;

namespace McpSm.PowerShell.Tests.Module;

/// <summary>Tests of the package of the module, unpacked like Install-PSResource into an empty home.</summary>
public sealed class ModuleInstallTests
{
    [Fact]
    public void Package_is_accepted_by_a_PowerShell_repository()
    {
        using var home = EmptyHome.OrSkip();
        using var zip = ZipFile.OpenRead(PackageIn(home));
        using var nuspec = zip.GetEntry("Mcpsm.nuspec")!.Open();
        var metadata = XDocument.Load(nuspec).Root!.Elements().Single().Elements().ToLookup(e => e.Name.LocalName, e => e.Value);
        Assert.Equal("Mcpsm", metadata["id"].Single());
        Assert.Equal($"Mcpsm.{metadata["version"].Single()}.nupkg", Path.GetFileName(PackageIn(home)));
        Assert.Superset(new HashSet<string> { "PSModule", "PSEdition_Core" }, metadata["tags"].Single().Split(' ').ToHashSet());
        Assert.Equal("MIT", metadata["license"].Single());
        Assert.NotNull(zip.GetEntry(metadata["readme"].Single()));
        Assert.NotEmpty(metadata["description"].Single());
        Assert.NotEmpty(metadata["authors"].Single());
        // Dependencies of a module package are modules. The assemblies are in the package.
        Assert.Empty(metadata["dependencies"]);
        Assert.NotNull(zip.GetEntry("Mcpsm.psd1"));
        Assert.NotNull(zip.GetEntry("LICENSE"));
        Assert.DoesNotContain(zip.Entries,
            e => e.FullName.StartsWith("lib/", StringComparison.Ordinal) || e.FullName.EndsWith(".pdb", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Module_installed_in_an_empty_home_passes_its_tests()
    {
        using var home = EmptyHome.OrSkip();
        // In a child process, because this process may have loaded the built module and keeps its assemblies.
        home.Variables["MCPSM_TEST_MODULE"] = Path.Combine(Install(home), "Mcpsm.psd1");
        await home.RunAsync("dotnet", typeof(ModuleInstallTests).Assembly.Location, "--filter-class", typeof(ModuleTests).FullName!);
    }

    [Fact]
    public void Notices_name_every_third_party_file()
    {
        using var home = EmptyHome.OrSkip();
        using var zip = ZipFile.OpenRead(PackageIn(home));
        using var reader = new StreamReader(zip.GetEntry("THIRD-PARTY-NOTICES.md")!.Open());
        var named = reader.ReadToEnd().Split('\n').Where(l => l.StartsWith("| ", StringComparison.Ordinal)).Select(l => l.Split('|')[1].Trim()).ToHashSet();
        var foreign = zip.Entries.Select(e => e.FullName).Where(n => n.StartsWith("dependencies/", StringComparison.Ordinal))
            .Select(n => Path.GetFileNameWithoutExtension(n)).Where(n => !n.StartsWith("McpSm.", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(foreign);
        Assert.All(foreign, n => Assert.Contains(n, named));
    }

    private static string PackageIn(EmptyHome home) => Directory.GetFiles(Path.Combine(home.Packages, "module"), "*.nupkg").Single();

    /// <summary>Unpacks the package without the files of the package format, and returns the folder of the module.</summary>
    private static string Install(EmptyHome home)
    {
        var package = PackageIn(home);
        var version = Path.GetFileNameWithoutExtension(package)["Mcpsm.".Length..].Split('-')[0];
        var folder = Path.Combine(home.Folder, "Modules", "Mcpsm", version);
        ZipFile.ExtractToDirectory(package, folder);
        File.Delete(Path.Combine(folder, "Mcpsm.nuspec"));
        File.Delete(Path.Combine(folder, "[Content_Types].xml"));
        Directory.Delete(Path.Combine(folder, "_rels"), recursive: true);
        Directory.Delete(Path.Combine(folder, "package"), recursive: true);
        return folder;
    }
}
