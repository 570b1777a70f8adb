using McpSm.PowerShell.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.PowerShell.Tests.Cmdlets;

/// <summary><c>Get-McpSetting</c> and <c>Set-McpSetting</c>.</summary>
[Collection(SerialCollection.Name)]
public sealed class SettingCmdletTests
{
    [Fact]
    public void Setting_is_stored_shown_and_removed()
    {
        using var session = new ModuleSession();
        session.Run("Set-McpSetting proxy proxy.example.com:3128; Set-McpSetting no-proxy a.example, 10.0.0.0/8");
        Assert.Equal("http://proxy.example.com:3128 settings.json", session.Text("Get-McpSetting proxy | ForEach-Object { \"$($_.Value) $($_.Source)\" }"));
        Assert.Equal("a.example,10.0.0.0/8", session.Text("(Get-McpSetting no-*).Value"));

        session.Run("Get-McpSetting *proxy | Set-McpSetting -Value $null");

        Assert.Equal("0", session.Text("@((Get-McpSetting).Value | Where-Object { $_ }).Count"));
        Assert.Empty(session.Errors);
    }

    [Fact]
    public void Path_of_a_file_is_relative_to_the_location_of_the_session()
    {
        using var session = new ModuleSession();
        var folder = Directory.CreateTempSubdirectory("mcpsm-ca-").FullName;
        try
        {
            LoopbackCertificates.WriteAuthorityPem(Path.Combine(folder, "ca.pem"));
            session.Run("$ExecutionContext.SessionState.Path.SetLocation($args[0]) | Out-Null; Set-McpSetting ca-file ca.pem", folder);
            Assert.Empty(session.Errors.Select(e => e.ToString()));
            Assert.Equal(Path.Combine(folder, "ca.pem"), session.Text("(Get-McpSetting ca-file).Value"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("Set-McpSetting proxy http://user:s3cret@proxy.example")]
    [InlineData("Set-McpSetting s3cret x")]
    [InlineData("Get-McpSetting s3cret")]
    public void Value_that_cannot_work_is_an_error_without_it(string line)
    {
        using var session = new ModuleSession();
        session.Run(line);
        var error = Assert.Single(session.Errors);
        Assert.StartsWith("InvalidValue", error.FullyQualifiedErrorId);
        Assert.DoesNotContain("s3cret", error.Exception.Message);
    }

    [Fact]
    public void WhatIf_stores_nothing()
    {
        using var session = new ModuleSession();
        session.Run("Set-McpSetting proxy proxy.example.com:3128 -WhatIf");
        Assert.Equal("", session.Text("\"$((Get-McpSetting proxy).Value)\""));
    }
}
