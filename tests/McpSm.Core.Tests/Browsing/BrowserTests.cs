using McpSm.Core.Browsing;
using McpSm.Core.Configuration;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Browsing;

/// <summary>The browser is a real program, which writes its arguments to a file, one a line.</summary>
public sealed class BrowserTests : IDisposable
{
    private static readonly Uri Plain = new("http://127.0.0.1:1/authorize?client_id=a&state=b");

    private readonly string _folder = Directory.CreateTempSubdirectory("mcpsm browser-").FullName;
    private readonly string _script;
    private readonly string _record;

    public BrowserTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the stand-in for a browser is a shell script");
        _script = Path.Combine(_folder, "browser.sh");
        _record = Path.Combine(_folder, "arguments");
        // Run it with sh: Linux can refuse to execute a file that was just written while other threads start processes.
        File.WriteAllText(_script, "printf '%s\\n' \"$@\" > \"$(dirname \"$0\")/arguments\"\n");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Recorder => $"/bin/sh '{_script}'";

    private string[]? Arguments => File.Exists(_record) ? File.ReadAllLines(_record) : null;

    private static AppEnvironment HomeWith(string browser, bool usual = false) => new(name => name == "BROWSER" ? browser
        : name == "PATH" && usual ? Environment.GetEnvironmentVariable("PATH") : null);

    private static Task<bool> OpenAsync(Uri url, string browser) => new BrowserLauncher(HomeWith(browser)).OpenAsync(url, default);

    [Rule(28)]
    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:text/html,x")]
    [InlineData("ftp://127.0.0.1/x")]
    [InlineData("ms-settings:x")]
    public async Task Url_with_other_scheme_than_http_or_https_is_not_opened(string url)
    {
        Assert.False(await OpenAsync(new Uri(url), Recorder));
        Assert.Null(Arguments);
    }

    [Rule(29)]
    [Fact]
    public async Task Url_without_placeholder_is_the_last_argument()
    {
        Assert.True(await OpenAsync(Plain, Recorder + " --new-window"));
        Assert.Equal(["--new-window", Plain.AbsoluteUri], Arguments!);
    }

    [Rule(29)]
    [Theory]
    [InlineData("--url %s --end", "--url,URL,--end")]
    [InlineData("%s '%s' \"%s\"", "URL,URL,URL")]
    [InlineData("--url=%s --end", "--url=%s,--end,URL")]
    [InlineData("'open(%s)' x%s %sx %s", "open(%s),x%s,%sx,URL")]
    [InlineData("'two %s words' %%s %S", "two %s words,%%s,%S,URL")]
    public async Task Placeholder_that_is_a_whole_word_is_replaced_by_the_url(string command, string arguments)
    {
        Assert.True(await OpenAsync(Plain, $"{Recorder} {command}"));
        Assert.Equal(arguments.Replace("URL", Plain.AbsoluteUri).Split(','), Arguments!);
    }

    [Rule(29)]
    [Theory]
    [InlineData("sh -c 'touch {0}' %s")]
    [InlineData("/bin/sh -c 'touch {0}'")]
    [InlineData("bash -lc 'touch {0}' %s")]
    [InlineData("bash --norc -o posix -ec 'touch {0}' %s")]
    [InlineData("sh -c %s")]
    [InlineData("dash -e -c 'touch {0}' x %s")]
    [InlineData("fish --command='touch {0}' %s")]
    [InlineData("fish -C 'touch {0}' %s")]
    [InlineData("/usr/bin/env sh -c 'touch {0}' %s")]
    [InlineData("env -i A=b bash -c 'touch {0}' %s")]
    [InlineData("env -S 'sh -c \"touch {0}\"' %s")]
    [InlineData("env '-Ssh -c \"touch {0}\"' %s")]
    [InlineData("env '--split-string=sh -c \"touch {0}\"' %s")]
    [InlineData("sudo -n sh -c 'touch {0}' %s")]
    [InlineData("nohup setsid sh -c 'touch {0}' %s")]
    [InlineData("script -qec 'touch {0}' /dev/null %s")]
    [InlineData("su root -c 'touch {0}' %s")]
    [InlineData("busybox sh -c 'touch {0}' %s")]
    [InlineData("bash-5.2 -c 'touch {0}' %s")]
    [InlineData("pwsh -NoProfile -Command 'touch {0}' %s")]
    [InlineData("pwsh -c 'touch {0}' %s")]
    [InlineData("pwsh -enc dAA= %s")]
    [InlineData("powershell.exe 'touch {0}' %s")]
    [InlineData("/mnt/c/Windows/System32/cmd.exe /d /s /c start %s")]
    public async Task Shell_with_inline_command_is_refused_and_next_browser_is_tried(string command)
    {
        var planted = Path.Combine(_folder, "planted");
        var notices = new List<string>();
        var launcher = new BrowserLauncher(HomeWith($"{string.Format(command, planted)}:{Recorder}", usual: true), notices.Add);
        Assert.True(await launcher.OpenAsync(Plain, Cancellation));
        Assert.Equal([Plain.AbsoluteUri], Arguments!);
        Assert.False(File.Exists(planted));
        Assert.StartsWith("BROWSER was ignored because it runs a command in the shell ", Assert.Single(notices));
    }

    [Rule(29)]
    [Fact]
    public async Task Link_to_a_shell_is_refused_like_a_shell()
    {
        var (link, planted) = (Path.Combine(_folder, "my-browser"), Path.Combine(_folder, "planted"));
        File.CreateSymbolicLink(link, "/bin/sh");
        Assert.False(await OpenAsync(Plain, $"'{link}' -c 'touch \"{planted}\"' %s"));
        Assert.False(File.Exists(planted));
    }

    [Rule(29)]
    [Theory]
    [InlineData("-c")]
    [InlineData("--command sh -e -x")]
    [InlineData("-- -c")]
    public async Task Shell_with_script_file_passes_all_options(string options)
    {
        Assert.True(await OpenAsync(Plain, $"{Recorder} {options}"));
        Assert.Equal([.. options.Split(' '), Plain.AbsoluteUri], Arguments!);
        Assert.Null(ShellCommand.Find(["pwsh", "-ExecutionPolicy", "Bypass", "-File", "open.ps1", "-c", "x"]));
        Assert.Null(ShellCommand.Find(["powershell", "-NoProfile", "-File", "open.ps1"]));
        Assert.Null(ShellCommand.Find(["firefox", "--new-window", "-P", "c", "https://a.example/sh?-c"]));
        Assert.Null(ShellCommand.Find(["bash", "--rcfile", "x", "+o", "posix", "open.sh", "-c"]));
    }

    [Rule(29)]
    [Fact]
    public async Task Quotes_in_command_keep_an_argument_together()
    {
        Assert.True(await OpenAsync(Plain, $"\"/bin/sh\"   '{_script}' \"two words\" 'it''s' \"\" %s"));
        Assert.Equal(["two words", "its", "", Plain.AbsoluteUri], Arguments!);
    }

    [Rule(29)]
    [Fact]
    public async Task Browser_that_fails_is_followed_by_the_next()
    {
        var failing = Path.Combine(_folder, "failing.sh");
        File.WriteAllText(failing, "exit 3\n");
        Assert.True(await OpenAsync(Plain, $"/nonexistent/browser:/bin/sh '{failing}'::{Recorder} first:{Recorder} second"));
        Assert.Equal(["first", Plain.AbsoluteUri], Arguments!);
    }

    [Fact]
    public async Task Browsers_that_all_fail_are_reported_in_one_line_with_reasons()
    {
        var (plain, failing) = (Path.Combine(_folder, "plain"), Path.Combine(_folder, "failing.sh"));
        File.WriteAllText(plain, "");
        File.WriteAllText(failing, "exit 3\n");
        var notices = new List<string>();
        var launcher = new BrowserLauncher(HomeWith($"/nonexistent/x:nosuch-browser:./here:'{plain}':/bin/sh '{failing}'", usual: true), notices.Add);
        Assert.False(await launcher.OpenAsync(Plain, Cancellation));
        Assert.Equal($"Mcpsm could not open a browser: /nonexistent/x does not exist; nosuch-browser was not found in an absolute folder of PATH; "
            + $"./here is a relative path; use a name on PATH or a full path; {plain} is not an executable file; "
            + "/bin/sh exited with code 3.", Assert.Single(notices));
    }

    [Fact]
    public async Task Browser_that_fetched_the_url_is_the_last_one_tried()
    {
        var failing = Path.Combine(_folder, "failing.sh");
        File.WriteAllText(failing, "exit 3\n");
        var launcher = new BrowserLauncher(HomeWith($"/bin/sh '{failing}':{Recorder}"));
        Assert.True(await launcher.OpenAsync(Plain, Task.CompletedTask, Cancellation));
        Assert.Null(Arguments);
        Assert.True(await launcher.OpenAsync(Plain, new TaskCompletionSource().Task, Cancellation));
        Assert.Equal([Plain.AbsoluteUri], Arguments!);
    }

    [Rule(29)]
    [Theory]
    [InlineData("$(touch {0})")]
    [InlineData("`touch {0}`")]
    [InlineData(";touch {0};")]
    [InlineData("&touch {0}&")]
    [InlineData("|touch {0}")]
    [InlineData("\n touch {0} \n")]
    [InlineData("\"; touch {0}; \"")]
    [InlineData("'; touch {0}; '")]
    [InlineData("%s %s")]
    [InlineData("$HOME*?~>{0}")]
    public async Task Url_with_shell_syntax_is_one_argument_and_runs_nothing(string injected)
    {
        var planted = Path.Combine(_folder, "planted");
        var url = new Uri("https://issuer.example/a?x=" + string.Format(injected, planted));
        Assert.True(await OpenAsync(url, Recorder + " %s"));
        Assert.Equal([url.AbsoluteUri], Arguments!);
        Assert.DoesNotContain(url.AbsoluteUri, c => c is ' ' or '"' or '`' or '\n' or '<' or '>');
        Assert.False(File.Exists(planted));
    }

    [Rule(29)]
    [Fact]
    public async Task Command_with_shell_syntax_runs_nothing()
    {
        var planted = Path.Combine(Path.GetTempPath(), "mcpsm-planted-" + Guid.NewGuid());
        Assert.True(await OpenAsync(Plain, $"{Recorder} $(touch {planted}) ; touch {planted} & $HOME"));
        Assert.Equal(["$(touch", planted + ")", ";", "touch", planted, "&", "$HOME", Plain.AbsoluteUri], Arguments!);
        Assert.False(File.Exists(planted));
    }

    [Rule(29)]
    [Fact]
    public async Task Authorization_endpoint_is_reserialised_before_the_browser_opens_it()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteJson("/.well-known", json =>
            json["authorization_endpoint"] = ((string)json["authorization_endpoint"]!).Replace("/authorize", "/x/../authorize?a=b c\"`"));
        await scene.LoginAsync();
        Assert.StartsWith(scene.Issuer.Issuer + "/authorize?a=b%20c%22%60&", Assert.Single(scene.Person.Visited).OriginalString);
    }

    [Theory]
    [InlineData("BROWSER")]
    [InlineData("DISPLAY")]
    [InlineData("WAYLAND_DISPLAY")]
    [InlineData("WSL_DISTRO_NAME")]
    public void Desktop_is_detected_by_environment_variable(string variable)
    {
        Assert.SkipWhen(OperatingSystem.IsMacOS(), "a Mac always has one");
        Assert.True(new BrowserLauncher(new AppEnvironment(name => name == variable ? "x" : null)).HasDesktop);
        Assert.False(new BrowserLauncher(new AppEnvironment(_ => null)).HasDesktop);
    }

    [Fact]
    public void Browser_of_Windows_is_tried_first_on_WSL()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "WSL is a Linux");
        var launcher = new BrowserLauncher(new AppEnvironment(name => name == "WSL_DISTRO_NAME" ? "Debian" : null));
        var openers = launcher.Openers("http://127.0.0.1/a&b").ToList();
        Assert.Equal(["wslview", "/mnt/c/Windows/System32/rundll32.exe", "xdg-open"], openers.Select(o => o.Program));
        Assert.All(openers, o => Assert.Equal("http://127.0.0.1/a&b", o.Arguments[^1]));
    }
}
