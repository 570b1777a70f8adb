using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Tests.Support;
using Xunit;

namespace McpSm.Core.Tests.Grants;

/// <summary>The sources of a workload's assertion, and the checks of its form.</summary>
public sealed class WorkloadAssertionSourceTests : IDisposable
{
    // {"alg":"ES256"}.{"sub":"PLANTED"}.
    private const string Good = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJQTEFOVEVEIn0.c2lnbmVk";

    private readonly TestEnvironment _work = new();

    private string PathOf(string name) => Path.Combine(_work.Folder, name);

    private McpAuthException Refused(string content)
    {
        File.WriteAllText(PathOf("assertion"), content);
        var e = Assert.Throws<McpAuthException>(() => WorkloadAssertionSource.FromFile(PathOf("assertion")).Read(_work.Home, Cancellation));
        Assert.Equal(ErrorReason.InvalidValue, e.Reason);
        Assert.Contains(PathOf("assertion"), e.Message);
        return e;
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\n\n  \t")]
    public void Line_end_after_the_assertion_is_removed(string end)
    {
        File.WriteAllText(PathOf("assertion"), Good + end);
        Assert.Equal(Good, WorkloadAssertionSource.FromFile(PathOf("assertion")).Read(_work.Home, Cancellation));
        _work.Variables["JOB_TOKEN"] = Good + end;
        Assert.Equal(Good, WorkloadAssertionSource.FromVariable("JOB_TOKEN").Read(_work.Home, Cancellation));
    }

    [Theory]
    [InlineData("PLANTED", "it does not contain a signed JWT")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nPLANTED.PLANTED.PLANTED\n-----END PRIVATE KEY-----", "it does not contain a signed JWT")]
    [InlineData("PLANTED.PLANTED.PLANTED", "it does not contain a signed JWT")]
    [InlineData("eyJhbGciOiJub25lIn0.eyJzdWIiOiJQTEFOVEVEIn0.", "it does not contain a signed JWT")]
    [InlineData("eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiJQTEFOVEVEIn0.c2lnbmVk", "it does not contain a signed JWT")]
    [InlineData("eyJhbGciOiJFUzI1NiJ9.eyJz!!!.c2lnbmVk", "it does not contain a signed JWT")]
    [InlineData(Good + "\n" + Good, "it does not contain a signed JWT")]
    [InlineData("{\"value\":\"" + Good + "\"}", "it does not contain a signed JWT")]
    [InlineData("\u00eayJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJQTEFOVEVEIn0.c2lnbmVk", "it does not contain a signed JWT")]
    [InlineData("eyJhbGciOiJFUzI1NiJ9.eyJzdWIi\nOiJQTEFOVEVEIn0.c2lnbmVk", "it does not contain a signed JWT")]
    [InlineData("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJQTEFOVEVEIn0=.c2lnbmVk", "it does not contain a signed JWT")]
    [InlineData("eyJcdWQ4MDAiOjF9.eyJzdWIiOiJQTEFOVEVEIn0.c2lnbmVk", "it does not contain a signed JWT")]
    [InlineData("", "it is empty")]
    [InlineData(" \n", "it is empty")]
    public void Text_that_is_not_a_signed_JWT_is_refused_and_not_shown(string content, string text)
    {
        var e = Refused(content);
        Assert.Contains(text, e.Message);
        Assert.DoesNotContain("PLANTED", e.ToString());
        Assert.DoesNotContain("eyJ", e.ToString());
    }

    [Fact]
    public void Oversized_assertion_file_is_not_read_to_its_end()
    {
        Assert.Contains("larger than 64 KiB", Refused(Good + new string('A', 100_000)).Message);
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no file without end on Windows.");
        Assert.Contains("64 KiB", Assert.Throws<McpAuthException>(() => WorkloadAssertionSource.FromFile("/dev/zero").Read(_work.Home, Cancellation)).Message);
    }

    [Fact]
    public void Missing_assertion_source_is_named()
    {
        var missing = Assert.Throws<McpAuthException>(() => WorkloadAssertionSource.FromFile(PathOf("no such")).Read(_work.Home, Cancellation));
        Assert.Equal((ErrorReason.InvalidValue, $"The assertion cannot be read from the file '{PathOf("no such")}': it does not exist."),
            (missing.Reason, missing.Message));
        Assert.Contains(_work.Folder, Assert.Throws<McpAuthException>(() => WorkloadAssertionSource.FromFile(_work.Folder).Read(_work.Home, Cancellation))
            .Message);
        var unset = Assert.Throws<McpAuthException>(() => WorkloadAssertionSource.FromVariable("JOB_TOKEN").Read(_work.Home, Cancellation));
        Assert.Equal("The assertion cannot be read from the variable 'JOB_TOKEN': it is not set.", unset.Message);
    }

    [Fact]
    public void Relative_path_is_resolved_against_the_current_folder() =>
        Assert.Equal([Path.GetFullPath("assertion")], WorkloadAssertionSource.FromFile("assertion").Option.Values);

    [Theory]
    [InlineData("")]
    [InlineData(Good)]
    [InlineData("1ST")]
    [InlineData("A=B")]
    public void Invalid_variable_name_is_refused_and_not_repeated(string name)
    {
        var e = Assert.Throws<McpAuthException>(() => WorkloadAssertionSource.FromVariable(name));
        Assert.Equal(ErrorReason.InvalidValue, e.Reason);
        Assert.True(name.Length == 0 || !e.Message.Contains(name));
        Assert.Throws<McpAuthException>(() => WorkloadAssertionSource.FromFile(""));
    }

    public void Dispose() => _work.Dispose();
}
