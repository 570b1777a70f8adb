using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Tests.Support;
using Xunit;

namespace McpSm.Core.Tests.Grants;

/// <summary>Where a workload's assertion comes from, and what is taken for one.</summary>
public sealed class WorkloadAssertionSourceTests : IDisposable
{
    // {"alg":"ES256"}.{"sub":"PLANTED"}.
    private const string Good = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJQTEFOVEVEIn0.c2lnbmVk";

    private readonly TestEnvironment _work = new();

    private string PathOf(string name) => Path.Combine(_work.Folder, name);

    private McpAuthException Refused(string content)
    {
        File.WriteAllText(PathOf("assertion"), content);
        var e = Assert.Throws<McpAuthException>(() => WorkloadAssertionSource.FromFile(PathOf("assertion")).Read(_work.Home));
        Assert.Equal(ErrorReason.InvalidValue, e.Reason);
        Assert.Contains(PathOf("assertion"), e.Message);
        return e;
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\n\n  \t")]
    public void The_end_of_the_line_is_no_part_of_it(string end)
    {
        File.WriteAllText(PathOf("assertion"), Good + end);
        Assert.Equal(Good, WorkloadAssertionSource.FromFile(PathOf("assertion")).Read(_work.Home));
        _work.Variables["JOB_TOKEN"] = Good + end;
        Assert.Equal(Good, WorkloadAssertionSource.FromVariable("JOB_TOKEN").Read(_work.Home));
    }

    [Theory]
    [InlineData("PLANTED", "no signed JWT")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nPLANTED.PLANTED.PLANTED\n-----END PRIVATE KEY-----", "no signed JWT")]
    [InlineData("PLANTED.PLANTED.PLANTED", "no signed JWT")]
    [InlineData("eyJhbGciOiJub25lIn0.eyJzdWIiOiJQTEFOVEVEIn0.", "no signed JWT")]
    [InlineData("eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiJQTEFOVEVEIn0.c2lnbmVk", "no signed JWT")]
    [InlineData("eyJhbGciOiJFUzI1NiJ9.eyJz!!!.c2lnbmVk", "no signed JWT")]
    [InlineData(Good + "\n" + Good, "no signed JWT")]
    [InlineData("{\"value\":\"" + Good + "\"}", "no signed JWT")]
    [InlineData("\u00eayJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJQTEFOVEVEIn0.c2lnbmVk", "no signed JWT")]
    [InlineData("eyJhbGciOiJFUzI1NiJ9.eyJzdWIi\nOiJQTEFOVEVEIn0.c2lnbmVk", "no signed JWT")]
    [InlineData("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJQTEFOVEVEIn0=.c2lnbmVk", "no signed JWT")]
    [InlineData("eyJcdWQ4MDAiOjF9.eyJzdWIiOiJQTEFOVEVEIn0.c2lnbmVk", "no signed JWT")]
    [InlineData("", "it is empty")]
    [InlineData(" \n", "it is empty")]
    public void What_is_no_signed_JWT_is_refused_and_not_shown(string content, string why)
    {
        var e = Refused(content);
        Assert.Contains(why, e.Message);
        Assert.DoesNotContain("PLANTED", e.ToString());
        Assert.DoesNotContain("eyJ", e.ToString());
    }

    [Fact]
    public void What_is_too_large_is_not_read_to_its_end()
    {
        Assert.Contains("larger than 64 KiB", Refused(Good + new string('A', 100_000)).Message);
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no file without end on Windows.");
        Assert.Contains("64 KiB", Assert.Throws<McpAuthException>(() => WorkloadAssertionSource.FromFile("/dev/zero").Read(_work.Home)).Message);
    }

    [Fact]
    public void What_is_not_there_is_named()
    {
        var missing = Assert.Throws<McpAuthException>(() => WorkloadAssertionSource.FromFile(PathOf("no such")).Read(_work.Home));
        Assert.Equal((ErrorReason.InvalidValue, $"The assertion cannot be had from the file {PathOf("no such")}: there is none of that name."),
            (missing.Reason, missing.Message));
        Assert.Contains(_work.Folder, Assert.Throws<McpAuthException>(() => WorkloadAssertionSource.FromFile(_work.Folder).Read(_work.Home)).Message);
        var unset = Assert.Throws<McpAuthException>(() => WorkloadAssertionSource.FromVariable("JOB_TOKEN").Read(_work.Home));
        Assert.Equal("The assertion cannot be had from the variable JOB_TOKEN: it is not set.", unset.Message);
    }

    [Fact]
    public void A_relative_path_counts_from_the_folder_of_now() =>
        Assert.Equal([Path.GetFullPath("assertion")], WorkloadAssertionSource.FromFile("assertion").Option.Values);

    [Theory]
    [InlineData("")]
    [InlineData(Good)]
    [InlineData("1ST")]
    [InlineData("A=B")]
    public void What_is_no_name_of_a_variable_is_refused_and_not_repeated(string name)
    {
        var e = Assert.Throws<McpAuthException>(() => WorkloadAssertionSource.FromVariable(name));
        Assert.Equal(ErrorReason.InvalidValue, e.Reason);
        Assert.True(name.Length == 0 || !e.Message.Contains(name));
        Assert.Throws<McpAuthException>(() => WorkloadAssertionSource.FromFile(""));
    }

    public void Dispose() => _work.Dispose();
}
