using System.Management.Automation;
using System.Net;
using System.Net.Sockets;
using System.Security;
using McpSm.PowerShell.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.PowerShell.Tests.Cmdlets;

[Collection(SerialCollection.Name)]
public sealed class CmdletTests
{
    [Fact]
    public async Task Cmdlets_from_add_to_disconnect_work_in_sequence()
    {
        await using var issuer = await AuthorizationServer.StartAsync();
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var session = new ModuleSession();
        session.Run("Add-McpServer my-api $args[0]", server.McpUrl.AbsoluteUri);
        Assert.Equal("NotAuthenticated", session.Text("(Get-McpAuthStatus).State"));

        // The URL is shown although the output is assigned to a variable.
        Assert.Equal("Authenticated", session.Text("$x = Get-McpServer | Connect-McpServer -NoBrowser -CallbackPort 0; $x.State"));
        Assert.Empty(session.Errors);
        Assert.Contains(session.Host.Lines, l => l.Contains("response_type=code"));

        Assert.Equal("True sample-server 3",
            session.Text("Get-McpServer | Test-McpServer | ForEach-Object { \"$($_.Success) $($_.ServerName) $($_.ToolCount)\" }"));
        Assert.Equal("True", session.Text("Test-McpServer my-api -Quiet"));
        Assert.Equal("Authenticated", session.Text("(Get-McpAuthStatus -Validate).State"));

        var token = session.Text("Get-McpToken my-api -AsPlainText");
        Assert.NotNull(issuer.Introspect(token));
        Assert.Equal(token, new NetworkCredential("", (SecureString)session.Run("Get-McpToken my-api")[0].BaseObject).Password);
        Assert.Equal("Bearer " + token, session.Text("(Get-McpToken my-api -AsHeader).Authorization"));

        session.Run("Get-McpAuthStatus | Where-Object State -eq Authenticated | Update-McpToken");
        Assert.NotEqual(token, session.Text("Get-McpToken my-api -AsPlainText"));
        Assert.Equal("NotAuthenticated", session.Text("(Disconnect-McpServer my-api -Force -PassThru).State"));
        Assert.NotEqual(true, issuer.Introspect(token)?.Active);
    }

    [Fact]
    public void WhatIf_with_Force_changes_nothing()
    {
        using var session = new ModuleSession();
        session.Run("Add-McpServer a https://a.example/mcp -WhatIf");
        Assert.Empty(session.Run("Get-McpServer"));
        session.Run("Add-McpServer a https://a.example/mcp; Set-McpToken a ($args[0])", new NetworkCredential("", "t1").SecurePassword);
        session.Run("Remove-McpServer a -Force -WhatIf; Clear-McpToken a -WhatIf; Set-McpServer a -Url https://b.example -WhatIf");
        session.Run("Disconnect-McpServer a -Force -WhatIf");
        Assert.Equal("https://a.example/mcp BearerToken",
            session.Text("Get-McpServer | ForEach-Object { \"$($_.Url) $((Get-McpAuthStatus $_.Name).State)\" }"));
        session.Run("Remove-McpServer a -Force");
        Assert.Empty(session.Run("Get-McpServer"));
    }

    [Fact]
    public void Remove_asks_and_a_declined_prompt_keeps_the_server()
    {
        using var session = new ModuleSession();
        session.Run("Add-McpServer a https://a.example/mcp");
        session.Host.Typed.Enqueue("n");
        session.Run("Remove-McpServer a");
        Assert.Single(session.Run("Get-McpServer"));
        session.Host.Typed.Enqueue("y");
        session.Run("Remove-McpServer a");
        Assert.Empty(session.Run("Get-McpServer"));
    }

    [Theory]
    [InlineData("Get-McpServer nosuch", "ServerNotFound", ErrorCategory.ObjectNotFound, "nosuch", "Get-McpServer")]
    [InlineData("Add-McpServer a https://b.example/mcp", "ServerAlreadyExists", ErrorCategory.ResourceExists, "a", "Choose another name.")]
    [InlineData("Add-McpServer b ftp://b.example", "InvalidServerUrl", ErrorCategory.InvalidArgument, "b", null)]
    [InlineData("Add-McpServer login https://b.example", "InvalidServerName", ErrorCategory.InvalidArgument, "login", null)]
    [InlineData("Get-McpToken a", "AuthenticationRequired", ErrorCategory.AuthenticationError, "a", "Connect-McpServer a")]
    [InlineData("Update-McpToken a", "AuthenticationRequired", ErrorCategory.AuthenticationError, "a", "Connect-McpServer a")]
    [InlineData("Connect-McpServer a -NonInteractive", "InteractionRequired", ErrorCategory.AuthenticationError, "a", null)]
    [InlineData("Set-McpToken a -FromEnvironment MCPSM_NOT_SET", "InvalidValue", ErrorCategory.InvalidArgument, "a", null)]
    [InlineData("Set-McpVault nosuch", "VaultUnavailable", ErrorCategory.ResourceUnavailable, "nosuch", null)]
    public void Failure_is_one_non_terminating_error_record(string script, string id, ErrorCategory category, string? target, string? next)
    {
        using var session = new ModuleSession();
        session.Run("Add-McpServer a https://a.example/mcp");
        Assert.Equal("went on", session.Text(script + "; 'went on'"));
        var error = Assert.Single(session.Errors);
        Assert.StartsWith(id + ",", error.FullyQualifiedErrorId);
        Assert.Equal(category, error.CategoryInfo.Category);
        Assert.Equal(target, error.TargetObject);
        if (next is not null)
        {
            Assert.Equal(next, error.ErrorDetails.RecommendedAction);
        }
        Assert.Equal("caught " + id, session.Text($"try {{ {script} -ErrorAction Stop }} catch {{ 'caught ' + $_.FullyQualifiedErrorId.Split(',')[0] }}"));
    }

    [Fact]
    public async Task Failing_server_does_not_stop_the_others()
    {
        await using var issuer = await AuthorizationServer.StartAsync();
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        await using var lost = RawServer.Answering("nothing");
        using var session = new ModuleSession();
        session.Run("Add-McpServer bad $args[0]; Add-McpServer good $args[1]", lost.Url.AbsoluteUri, server.McpUrl.AbsoluteUri);
        Assert.Equal("good", session.Text("(Connect-McpServer -All -NoBrowser -CallbackPort 0).Name"));
        Assert.Equal("bad", Assert.Single(session.Errors).TargetObject);
    }

    [Fact]
    public async Task Stop_during_a_sign_in_ends_it_at_once_and_frees_the_port()
    {
        await using var issuer = await AuthorizationServer.StartAsync();
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        using var session = new ModuleSession();
        session.Host.Clicks = false;
        // This host always answers its prompts; an answer that is not the redirect address is asked for again.
        Environment.SetEnvironmentVariable("BROWSER", OperatingSystem.IsWindows() ? "rundll32.exe user32.dll,UpdatePerUserSystemParameters" : "true");
        session.Run("Add-McpServer my-api $args[0]", server.McpUrl.AbsoluteUri);
        using var shell = session.Shell("Connect-McpServer my-api -CallbackPort $args[0]", port);
        var running = shell.BeginInvoke();
        while (!session.Host.Lines.ToArray().Any(l => l.Contains("Waiting for the sign-in")))
        {
            await Task.Delay(20, Cancellation);
        }
        var stopped = Task.Run(shell.Stop, Cancellation);
        Assert.Same(stopped, await Task.WhenAny(stopped, Task.Delay(TimeSpan.FromSeconds(5), Cancellation)));
        var again = new TcpListener(IPAddress.Loopback, port);
        again.Start();
        again.Stop();
    }

    [Fact]
    public void Token_prompt_shows_nothing_and_objects_bind_by_property_name()
    {
        using var session = new ModuleSession();
        session.Run("[pscustomobject]@{ Name = 'a'; Url = 'https://a.example/mcp'; Transport = 'sse' } | Add-McpServer");
        Assert.Equal("Sse", session.Text("(Get-McpServer a).Transport"));
        session.Host.Typed.Enqueue("typed-token");
        session.Run("Set-McpToken a");
        Assert.Equal("typed-token", session.Text("Get-McpToken a -AsPlainText"));
        Assert.DoesNotContain(session.Host.Lines, l => l.Contains("typed-token"));
    }

    [Fact]
    public async Task Tests_run_in_parallel_up_to_ThrottleLimit()
    {
        await using var server = await TestMcpServer.StartAsync(new TestMcpServerOptions { Open = true });
        var (now, most) = (0, 0);
        server.Faults.Before("/mcp", async _ =>
        {
            var running = Interlocked.Increment(ref now);
            for (var seen = most; running > seen && Interlocked.CompareExchange(ref most, running, seen) != seen; seen = most)
            {
            }
            await Task.Delay(150);
            Interlocked.Decrement(ref now);
        });
        using var session = new ModuleSession();
        session.Run("foreach ($i in 1..6) { Add-McpServer \"s$i\" $args[0] | ForEach-Object { } }", server.McpUrl.AbsoluteUri);
        session.Run("Add-McpServer down http://127.0.0.1:9/mcp");
        foreach (var (limit, at) in new[] { (1, 1), (3, 3), (32, 6) })
        {
            (now, most) = (0, 0);
            session.Run($"$r = Get-McpServer | Test-McpServer -ThrottleLimit {limit} -Quiet");
            Assert.Equal("6 of 7 Boolean", session.Text("\"$($r.Where({ $_ }).Count) of $($r.Count) $($r[0].GetType().Name)\""));
            Assert.InRange(most, at == 1 ? 1 : 2, at);
        }
        Assert.Empty(session.Errors);
        Assert.Equal("down", session.Text("(Test-McpServer).Where({ -not $_.Success }).Name"));
    }

    [Fact]
    public void Piped_server_is_found_by_id_before_name()
    {
        using var session = new ModuleSession();
        File.WriteAllText(Path.Combine(session.Folder, "config.json"), """
            {"remoteServers":[{"id":"a","name":"b","type":"http","url":"https://a.example/mcp"},
            {"id":"b","name":"a","type":"http","url":"https://b.example/mcp"}]}
            """);
        Assert.Equal("https://a.example/mcp", session.Text("(Get-McpAuthStatus | Where-Object Id -EQ a | Get-McpServer).Url"));
        Assert.Equal("https://b.example/mcp https://a.example/mcp", session.Text("(Get-McpServer (Get-McpServer b), (Get-McpServer a)).Url -join ' '"));
        session.Run("Get-McpServer | Where-Object Url -EQ https://a.example/mcp | Set-McpServer -NewName first");
        session.Run("Get-McpServer | Where-Object Url -EQ https://b.example/mcp | Remove-McpServer -Force");
        Assert.Equal("a first", session.Text("Get-McpServer | ForEach-Object { \"$($_.Id) $($_.Name)\" }"));
        Assert.Empty(session.Errors);
    }

    [Fact]
    public void Servers_exported_as_text_can_be_added_again()
    {
        using var session = new ModuleSession();
        session.Run("Add-McpServer one https://a.example/mcp -Scope 'a b', c -ClientId me -Issuer https://login.example -AllowLegacyEndpoints "
            + "-RelaySignIn -DPoP always -OAuth on -AuthorizeParameter @{ access_type = 'offline' }");
        session.Run("Add-McpServer two https://b.example/sse -Transport sse");
        const string All =
            "Get-McpServer | ForEach-Object { \"$($_.Name) $($_.Url) $($_.Transport) $($_.OAuth) $($_.ClientId) $($_.Scopes) $($_.Issuer) "
            + "$($_.AllowLegacyEndpoints) $($_.RelaySignIn) $($_.DPoP) $($_.AuthorizeParams)\" }";
        var before = session.Text(All);
        Assert.Contains("a b c", before);
        Assert.Contains("access_type=offline", before);
        // The same as Export-Csv and Import-Csv, which the bare engine does not have.
        session.Run("""
            $rows = Get-McpServer | ForEach-Object {
                $row = [ordered]@{}
                foreach ($p in $_.PSObject.Properties) { $row[$p.Name] = "$($p.Value)" }
                [pscustomobject]$row
            }
            Remove-McpServer * -Force
            $rows | Add-McpServer
            """);
        Assert.Empty(session.Errors.Select(e => e.ToString()));
        Assert.Equal(before, session.Text(All));
        // The objects that ConvertFrom-Json makes of "mcpsm list --json".
        session.Run("""
            Remove-McpServer * -Force
            foreach ($oauth in $null, $true, $false) {
                [pscustomobject]@{
                    id = "of$oauth"; name = "of$oauth"; url = 'https://a.example/mcp'; transport = 'http'; oauth = $oauth
                    clientId = $null; scopes = @(); issuer = $null; authorizeParams = [pscustomobject]@{ prompt = 'login' }
                } | Add-McpServer
            }
            """);
        Assert.Empty(session.Errors.Select(e => e.ToString()));
        Assert.Equal("login login login", session.Text("(Get-McpServer).AuthorizeParams.prompt -join ' '"));
        Assert.Equal("of Unset, ofTrue On, ofFalse Off", session.Text("(Get-McpServer | ForEach-Object { \"$($_.Name) $($_.OAuth)\" }) -join ', '"));
    }

    [Fact]
    public async Task Scopes_as_text_are_separated_by_spaces()
    {
        await using var issuer = await AuthorizationServer.StartAsync();
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var session = new ModuleSession();
        session.Run("Add-McpServer my-api $args[0] -Scope mcp:tools, other; Add-McpServer none https://a.example/mcp", server.McpUrl.AbsoluteUri);
        Assert.Equal("mcp:tools other|", session.Text("(Get-McpServer | ForEach-Object { $_.Scopes.ToString() }) -join '|'"));
        session.Run("Set-McpServer my-api -Scope mcp:tools; Connect-McpServer my-api -NoBrowser -CallbackPort 0");
        Assert.Equal("mcp:tools|", session.Text("(Get-McpAuthStatus | ForEach-Object { $_.Scopes.ToString() }) -join '|'"));
    }

    [Fact]
    public void Person_chooses_among_several_servers_if_none_is_named()
    {
        using var session = new ModuleSession();
        session.Run("""
            foreach ($n in 'one', 'two', 'three') {
                $null = Add-McpServer $n "https://$n.example/mcp"
                Set-McpToken $n ([System.Net.NetworkCredential]::new('', "token-$n").SecurePassword)
            }
            """);
        Assert.Empty(session.Errors);
        session.Host.Typed.Enqueue("last");
        session.Host.Typed.Enqueue("y");
        Assert.Equal("token-three", session.Text("Get-McpToken -AsPlainText"));
        Assert.Equal("token-one", session.Text("Get-McpToken -AsPlainText"));
        Assert.Contains("Which server?", session.Host.Lines);
    }
}
