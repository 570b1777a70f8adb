using McpSm.Core.Browsing;
using McpSm.Core.Files;
using Xunit;

namespace McpSm.Core.Tests;

/// <summary>A real program as the browser: it writes down the arguments it got, one a line.</summary>
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
        // Run by sh, not by itself: a file just written cannot always be executed while other threads start processes.
        File.WriteAllText(_script, "printf '%s\\n' \"$@\" > \"$(dirname \"$0\")/arguments\"\n");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Recorder => $"/bin/sh '{_script}'";

    private string[]? Arguments => File.Exists(_record) ? File.ReadAllLines(_record) : null;

    private static Task<bool> OpenAsync(Uri url, string browser) =>
        new BrowserLauncher(new Home(name => name == "BROWSER" ? browser : null)).OpenAsync(url, default);

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:text/html,x")]
    [InlineData("ftp://127.0.0.1/x")]
    [InlineData("ms-settings:x")]
    public async Task Rule_28_Only_http_and_https_are_opened(string url)
    {
        Assert.False(await OpenAsync(new Uri(url), Recorder));
        Assert.Null(Arguments);
    }

    [Fact]
    public async Task Rule_29_The_url_comes_last_where_the_command_does_not_place_it()
    {
        Assert.True(await OpenAsync(Plain, Recorder + " --new-window"));
        Assert.Equal(["--new-window", Plain.AbsoluteUri], Arguments!);
    }

    [Fact]
    public async Task Rule_29_The_url_stands_where_the_command_places_it()
    {
        Assert.True(await OpenAsync(Plain, Recorder + " --url=%s --end"));
        Assert.Equal(["--url=" + Plain.AbsoluteUri, "--end"], Arguments!);
    }

    [Fact]
    public async Task Rule_29_Quotes_keep_an_argument_together()
    {
        Assert.True(await OpenAsync(Plain, $"\"/bin/sh\"   '{_script}' \"two words\" 'it''s' \"\" %s"));
        Assert.Equal(["two words", "its", "", Plain.AbsoluteUri], Arguments!);
    }

    [Fact]
    public async Task Rule_29_Where_one_browser_fails_the_next_is_tried()
    {
        Assert.True(await OpenAsync(Plain, $"/nonexistent/browser:/bin/sh -c 'exit 3'::{Recorder} first:{Recorder} second"));
        Assert.Equal(["first", Plain.AbsoluteUri], Arguments!);
    }

    [Fact]
    public async Task Where_every_browser_fails_none_was_opened() =>
        Assert.False(await OpenAsync(Plain, "/nonexistent/browser:/bin/sh -c 'exit 3'"));

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
    public async Task Rule_29_No_shell_reads_the_url_which_is_one_argument(string injected)
    {
        var planted = Path.Combine(_folder, "planted");
        var url = new Uri("https://issuer.example/a?x=" + string.Format(injected, planted));
        Assert.True(await OpenAsync(url, Recorder + " %s"));
        Assert.Equal([url.AbsoluteUri], Arguments!);
        Assert.DoesNotContain(url.AbsoluteUri, c => c is ' ' or '"' or '`' or '\n' or '<' or '>');
        Assert.False(File.Exists(planted));
    }

    [Fact]
    public async Task Rule_29_No_shell_reads_the_command_either()
    {
        var planted = Path.Combine(Path.GetTempPath(), "mcpsm-planted-" + Guid.NewGuid());
        Assert.True(await OpenAsync(Plain, $"{Recorder} $(touch {planted}) ; touch {planted} & $HOME"));
        Assert.Equal(["$(touch", planted + ")", ";", "touch", planted, "&", "$HOME", Plain.AbsoluteUri], Arguments!);
        Assert.False(File.Exists(planted));
    }

    [Fact]
    public async Task Rule_29_What_the_issuer_names_is_reserialised_on_its_way_to_the_browser()
    {
        await using var scene = await Scene.StartAsync();
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
    public void A_desktop_shows_in_the_environment(string variable)
    {
        Assert.SkipWhen(OperatingSystem.IsMacOS(), "a Mac always has one");
        Assert.True(new BrowserLauncher(new Home(name => name == variable ? "x" : null)).HasDesktop);
        Assert.False(new BrowserLauncher(new Home(_ => null)).HasDesktop);
    }

    [Fact]
    public void On_wsl_the_browser_of_windows_is_tried_first()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "WSL is a Linux");
        var launcher = new BrowserLauncher(new Home(name => name == "WSL_DISTRO_NAME" ? "Debian" : null));
        var openers = launcher.Openers("http://127.0.0.1/a&b").ToList();
        Assert.Equal(["wslview", "/mnt/c/Windows/System32/rundll32.exe", "xdg-open"], openers.Select(o => o.Program));
        Assert.All(openers, o => Assert.Equal("http://127.0.0.1/a&b", o.Arguments[^1]));
    }
}
