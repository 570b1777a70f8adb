using McpSm.TestServers;
using Xunit;
using Xunit.Sdk;

namespace McpSm.Pester.Tests;

/// <summary>Tests of the module in a real pwsh. Every Pester test in tests/pester is a separate result.</summary>
public sealed class PesterTests
{
    // The reasons of tests that Pester skips by tag, even under MCPSM_TEST_REQUIRE=1. Other tests give their reason with Set-ItResult.
    private static readonly IReadOnlyDictionary<string, string> Reasons = new Dictionary<string, string>
    {
        ["SecretStore"] = "SecretManagement and SecretStore are not installed, and no package registry has them.",
        ["Interrupt"] = "Windows has no SIGINT that one process sends to another.",
    };

    public static IEnumerable<TheoryDataRow<string, string>> Tests =>
        PesterRun.DiscoverAsync().GetAwaiter().GetResult().Tests.Select(t => new TheoryDataRow<string, string>(t.File, t.Name));

    public static IEnumerable<TheoryDataRow<string>> Files => PesterRun.Files.Select(f => new TheoryDataRow<string>(Path.GetFileName(f)));

    [Theory]
    [MemberData(nameof(Tests))]
    public async Task Pester_test_passes(string file, string name)
    {
        var result = await PesterRun.ResultAsync(file);
        var test = Assert.Single(result.Tests, t => t.Name == name);
        if (test.Result == "Skipped")
        {
            if (test.Tags.Select(t => Reasons.GetValueOrDefault(t)).OfType<string>().FirstOrDefault() is { } reason)
            {
                Assert.Skip(reason);
            }
            Require.OrSkip(false, test.Messages.FirstOrDefault() ?? throw new XunitException($"Pester skipped '{name}' without a reason."));
        }
        Assert.True(test.Result == "Passed", string.Join('\n', [$"{test.Result}: {name}", .. test.Messages, .. result.Outside]));
    }

    /// <summary>Fails for errors in BeforeAll, in AfterAll and while a file is read.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public async Task Pester_file_has_tests_and_no_errors_outside_them(string file)
    {
        var result = await PesterRun.ResultAsync(file);
        Assert.NotEmpty(result.Tests);
        Assert.Empty(result.Outside);
    }
}
