using Xunit;

namespace McpSm.Core.Tests.Support;

/// <summary>
/// The tests with a keyring of their own, one after another: libsecret reads the address of the bus from the environment of the process, so two
/// keyrings at once would be mixed up.
/// </summary>
[CollectionDefinition(Name)]
public static class KeyringCollection
{
    public const string Name = "Keyring";
}
