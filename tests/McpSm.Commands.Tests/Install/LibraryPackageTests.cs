using System.IO.Compression;
using System.Reflection.Metadata;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using McpSm.Commands.Tests.Support;
using McpSm.Core.Configuration;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Install;

/// <summary>Tests of the package McpSm.Core, which .NET programs reference.</summary>
public sealed partial class LibraryPackageTests
{
    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

    /// <summary>Compiles the sample and the code of the page against the package alone, with an empty package cache, and runs the sample.</summary>
    [Fact]
    public async Task Program_with_the_package_signs_in_to_a_server()
    {
        using var home = EmptyHome.OrSkip();
        var program = Directory.CreateDirectory(Path.Combine(home.Folder, "program")).FullName;
        foreach (var source in Directory.GetFiles(Path.Combine(Repository.Root, "samples", "DotNetClient"), "*.cs"))
        {
            File.Copy(source, Path.Combine(program, Path.GetFileName(source)));
        }
        await File.WriteAllTextAsync(Path.Combine(program, "Readme.cs"), ReadmeProgram(), Cancellation);
        var project = Path.Combine(program, "Client.csproj");
        await File.WriteAllTextAsync(project, $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <UseAppHost>false</UseAppHost>
                <RestorePackagesPath>{Path.Combine(home.Folder, "cache")}</RestorePackagesPath>
                <RestoreSources>{Path.Combine(home.Packages, "library")};{PackagesOfBuild()}</RestoreSources>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="McpSm.Core" Version="[{ProductInfo.Version}]" />
              </ItemGroup>
            </Project>
            """, Cancellation);
        var output = Path.Combine(home.Folder, "output");
        await home.RunAsync("dotnet", "build", project, "--output", output, "--disable-build-servers", "-nologo", "-v:quiet");

        await using var issuer = await AuthorizationServer.StartAsync();
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var mcpsm = new CliProcess();
        mcpsm.Variables["MCPSM_CALLBACK_PORT"] = "0";
        var first = (await mcpsm.RunProgramAsync("dotnet", Path.Combine(output, "Client.dll"), server.McpUrl.AbsoluteUri)).Done();
        Assert.Contains("echo: Gives back what it was given.", first.Out);
        Assert.Contains("response_type=code", first.Error);
        Assert.Contains("Authenticated", (await mcpsm.RunAsync("auth status")).Done().Out);
    }

    [Fact]
    public async Task Package_has_documentation_page_and_licence()
    {
        using var home = EmptyHome.OrSkip();
        using var package = await OpenAsync(home, "nupkg");
        var nuspec = await ReadNuspecAsync(package);
        Assert.Equal("MIT", Value(nuspec, "license"));
        Assert.Equal("README.md", Value(nuspec, "readme"));
        Assert.Contains("AuthenticatingHandler", await ReadTextAsync(package, "README.md"));
        var members = XDocument.Parse(await ReadTextAsync(package, "lib/net10.0/McpSm.Core.xml")).Descendants("member")
            .ToDictionary(member => (string)member.Attribute("name")!, member => member.Value);
        Assert.Contains("requests to one MCP server", members["T:McpSm.Core.AuthenticatingHandler"]);
        Assert.NotNull(package.GetEntry("lib/net10.0/McpSm.Core.dll"));
        // Analyzers check our build, and are not for users.
        Assert.DoesNotContain(nuspec.Descendants(), element => element.Name.LocalName == "dependency"
            && ((string)element.Attribute("id")!).Contains("Analyzer", StringComparison.Ordinal));
    }

    /// <summary>The URL of the repository and the source documents of a debugger, if the build knew a remote repository.</summary>
    [Fact]
    public async Task Package_leads_to_its_source()
    {
        using var home = EmptyHome.OrSkip();
        using var package = await OpenAsync(home, "nupkg");
        var repository = (await ReadNuspecAsync(package)).Descendants().Single(element => element.Name.LocalName == "repository");
        var commit = (string)repository.Attribute("commit")!;
        Assert.Equal("git", (string?)repository.Attribute("type"));
        Assert.Matches(Commit(), commit);

        using var symbols = await OpenAsync(home, "snupkg");
        using var pdb = new MemoryStream();
        await using (var entry = await symbols.GetEntry("lib/net10.0/McpSm.Core.pdb")!.OpenAsync(Cancellation))
        {
            await entry.CopyToAsync(pdb, Cancellation);
        }
        pdb.Position = 0;
        using var provider = MetadataReaderProvider.FromPortablePdbStream(pdb);
        var reader = provider.GetMetadataReader();
        Assert.All(reader.Documents, document => Assert.StartsWith("/_", reader.GetString(reader.GetDocument(document).Name)));
        var link = reader.CustomDebugInformation.Select(reader.GetCustomDebugInformation)
            .Where(information => reader.GetGuid(information.Kind) == SourceLink)
            .Select(information => reader.GetBlobBytes(information.Value)).SingleOrDefault();
        var url = (string?)repository.Attribute("url");
        var remotes = await home.RunAsync("git", "-c", "safe.directory=*", "-C", Repository.Root, "remote", "--verbose");
        // Without a remote, or with one on this machine, the package names the commit alone.
        Assert.Equal(RemoteUrl().IsMatch(remotes), url is not null);
        // SourceLink knows how the well-known hosts serve a source file.
        Assert.Equal(url?.Contains("://github.com/", StringComparison.Ordinal) ?? false, link is not null);
        if (link is not null)
        {
            using var json = JsonDocument.Parse(link);
            Assert.Contains(json.RootElement.GetProperty("documents").EnumerateObject(), document => document.Value.GetString()!.Contains(commit));
        }
    }

    /// <summary>Returns the code of the page as a method, because a program has one entry.</summary>
    private static string ReadmeProgram()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "src", "McpSm.Core", "README.md")).ReplaceLineEndings("\n");
        var lines = Code().Match(page).Groups[1].Value.Split('\n');
        var usings = lines.Where(line => line.StartsWith("using ", StringComparison.Ordinal) && line.EndsWith(';') && !line.Contains('=')).ToList();
        Assert.Equal(2, usings.Count);
        return $"""
            {string.Join('\n', usings)}
            using McpSm.Samples.DotNetClient;
            internal static class Readme
            {"{"}
                public static async Task RunAsync()
                {"{"}
                    {string.Join('\n', lines.Except(usings))}
                {"}"}
            {"}"}
            """;
    }

    /// <summary>Returns the folder with the packages of this build, so that the test needs no registry.</summary>
    private static string PackagesOfBuild() => Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    private static Task<ZipArchive> OpenAsync(EmptyHome home, string extension) => ZipFile.OpenAsync(
        Path.Combine(home.Packages, "library", $"McpSm.Core.{ProductInfo.Version}.{extension}"), ZipArchiveMode.Read, Cancellation);

    private static async Task<string> ReadTextAsync(ZipArchive package, string name)
    {
        using var reader = new StreamReader(await package.GetEntry(name)!.OpenAsync(Cancellation));
        return await reader.ReadToEndAsync(Cancellation);
    }

    private static async Task<XDocument> ReadNuspecAsync(ZipArchive package) => XDocument.Parse(await ReadTextAsync(package, "McpSm.Core.nuspec"));

    private static string? Value(XDocument nuspec, string element) => nuspec.Descendants().Single(e => e.Name.LocalName == element).Value;

    [GeneratedRegex("^[0-9a-f]{40}$")]
    private static partial Regex Commit();

    [GeneratedRegex(@"\t(?:(?:https?|ssh|git)://|[\w.-]+@)")]
    private static partial Regex RemoteUrl();

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Code();
}
