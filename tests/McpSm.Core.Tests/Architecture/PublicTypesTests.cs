using Xunit;

namespace McpSm.Core.Tests.Architecture;

/// <summary>Keeps the public surface of Core small: it is what a .NET program or a user of PowerShell touches.</summary>
public sealed class PublicTypesTests
{
    private const int MaxPublicTypes = 40;

    [Fact]
    public void Public_types_of_Core_are_few() => Assert.InRange(typeof(Authenticator).Assembly.GetExportedTypes().Length, 1, MaxPublicTypes);
}
