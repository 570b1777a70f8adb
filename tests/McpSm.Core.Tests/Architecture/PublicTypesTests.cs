using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Architecture;

/// <summary>Keeps the public surface of Core small: it is what a .NET program or a user of PowerShell touches.</summary>
public sealed class PublicTypesTests
{
    private const int MaxPublicTypes = 40;

    private static string List => Path.Combine(Repository.Root, "tests", "McpSm.Core.Tests", "Architecture", "public-types.txt");

    [Fact]
    public void Public_types_of_Core_are_listed()
    {
        var types = PublicTypes();
        if (Environment.GetEnvironmentVariable("MCPSM_TEST_UPDATE") == "1")
        {
            File.WriteAllLines(List, types);
        }
        Assert.Equal(File.ReadAllLines(List), types);
    }

    [Fact]
    public void Public_types_of_Core_are_few() => Assert.InRange(PublicTypes().Count, 1, MaxPublicTypes);

    private static List<string> PublicTypes() =>
        [.. typeof(Authenticator).Assembly.GetExportedTypes().Select(t => t.FullName!).Order(StringComparer.Ordinal)];
}
