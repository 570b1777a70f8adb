using System.Globalization;
using McpSm.Commands;
using McpSm.Core.Errors;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Formats;

/// <summary>The error ids that scripts match, with the exit code of each error, and the exit codes.</summary>
public sealed class ErrorIdFormatTests
{
    [Fact]
    public void Error_ids_with_exit_codes_equal_the_golden_file() => GoldenFile.OfCore("error-ids.txt").RequireEqual(string.Concat(
        Enum.GetValues<ErrorReason>().Select(reason => string.Create(CultureInfo.InvariantCulture, $"{ErrorId.Of(reason)} {ExitCode.Of(reason)}\n"))
            .Order(StringComparer.Ordinal)));

    [Fact]
    public void Exit_code_names_have_fixed_values() =>
        Assert.Equal((0, 1, 2, 4, 130), (ExitCode.Done, ExitCode.Failed, ExitCode.WrongUsage, ExitCode.SignInNeeded, ExitCode.Cancelled));
}
