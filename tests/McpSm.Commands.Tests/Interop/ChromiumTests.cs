using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using PuppeteerSharp;
using Xunit;

namespace McpSm.Commands.Tests.Interop;

/// <summary>Tests of a sign-in in a real browser, with the pages of a real issuer and the callback page at the end.</summary>
public sealed class ChromiumTests
{
    [Theory]
    [InlineData(true, "Signed in to my-api", "You can close this window and return to the terminal.")]
    [InlineData(false, "Not signed in to my-api", "See the terminal for the reason and the next step.")]
    public async Task Sign_in_in_Chromium_ends_on_the_callback_page(bool agrees, string title, string text)
    {
        await using var chromium = new Chromium();
        await using var provider = await OidcProvider.StartAsync();
        await using var server = await provider.StartServerAsync();
        using var mcpsm = new CliProcess { Follow = _ => Task.CompletedTask };
        mcpsm.Variables["BROWSER"] = chromium.Browser;
        (await mcpsm.RunAsync(["add", "my-api", "--type", "http", "--url", server.McpUrl.AbsoluteUri])).Done();

        var login = mcpsm.RunAsync("auth login my-api --callback-port 0 --timeout 50");
        var page = await chromium.PageAsync();
        var errors = new List<string>();
        var answers = new List<IResponse>();
        page.Console += (_, e) => Keep(errors, e.Message.Type == ConsoleType.Error, e.Message.Text);
        page.PageError += (_, e) => Keep(errors, true, e.Message);
        page.Response += (_, e) => Keep(answers, true, e.Response);
        await (agrees ? AgreeAsync(page) : LeaveAsync(page, "a[href$='/abort']"));

        Assert.StartsWith("http://127.0.0.1:", page.Url);
        Assert.Contains("/callback?", page.Url);
        Assert.Equal($"{title} · Mcpsm", await page.GetTitleAsync());
        Assert.Equal([title, text], (await page.EvaluateExpressionAsync<string>("document.querySelector('main').innerText"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(line => line.Length > 1));
        // The page of an error has the status 400, which the browser logs as an error.
        Assert.All(errors, e => Assert.True(!agrees && e.Contains("status of 400"), e));
        var ours = answers.Single(a => a.Url == page.Url);
        Assert.Equal(agrees ? 200 : 400, (int)ours.Status);
        Assert.StartsWith("default-src 'none'; style-src 'sha256-", ours.Headers["content-security-policy"]);
        await TakePicturesAsync(page, agrees ? "signed-in" : "not-signed-in");
        await AssertNothingRunsAsync(page, server, errors);

        var asked = await chromium.EndAsync();
        Assert.NotEmpty(asked);
        Assert.All(asked, url => Assert.Equal("127.0.0.1", url.Host));
        var ended = await login;
        Assert.Equal(agrees ? 0 : 1, ended.Code);
        Assert.Contains(agrees ? "Signed in to 'my-api'" : "access_denied", ended.Out + ended.Error);
        provider.AssertHealthy();
    }

    /// <summary>Types a name and a password, and approves the request of the client.</summary>
    private static async Task AgreeAsync(IPage page)
    {
        await page.TypeAsync("input[name=login]", "alice");
        await page.TypeAsync("input[name=password]", "anything");
        await LeaveAsync(page, "button[type=submit]");
        Assert.Equal("Authorize", await page.EvaluateExpressionAsync<string>("document.querySelector('h1').innerText"));
        await LeaveAsync(page, "button[type=submit]");
    }

    private static Task LeaveAsync(IPage page, string selector) =>
        Task.WhenAll(page.WaitForNavigationAsync(), page.ClickAsync(selector));

    /// <summary>Checks the page in light and dark mode. Saves screenshots if MCPSM_TEST_PICTURES names a folder.</summary>
    private static async Task TakePicturesAsync(IPage page, string name)
    {
        var kept = Environment.GetEnvironmentVariable("MCPSM_TEST_PICTURES");
        var folder = kept is null ? Directory.CreateTempSubdirectory("mcpsm-pictures-") : Directory.CreateDirectory(kept);
        var seen = new List<(string Back, byte[] Picture)>();
        foreach (var scheme in new[] { "light", "dark" })
        {
            await page.EmulateMediaFeaturesAsync([new MediaFeatureValue { MediaFeature = MediaFeature.PrefersColorScheme, Value = scheme }]);
            var file = Path.Combine(folder.FullName, $"{name}-{scheme}.png");
            await page.ScreenshotAsync(file);
            seen.Add((await page.EvaluateExpressionAsync<string>("getComputedStyle(document.body).backgroundColor"), await File.ReadAllBytesAsync(file)));
        }
        Assert.NotEqual(seen[0].Back, seen[1].Back);
        Assert.NotEqual(seen[0].Picture, seen[1].Picture);
        if (kept is null)
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Asserts that the content security policy blocks injected scripts, loads and requests.</summary>
    private static async Task AssertNothingRunsAsync(IPage page, TestMcpServer server, List<string> errors)
    {
        server.Traffic.Clear();
        await page.EvaluateFunctionAsync("""
            url => {
                const script = document.createElement('script');
                script.textContent = 'document.title = "ran"';
                const image = document.createElement('img');
                image.src = url;
                document.body.append(script, image);
                return fetch(url).then(() => 0, () => 0);
            }
            """, server.McpUrl.AbsoluteUri);
        Assert.NotEqual("ran", await page.GetTitleAsync());
        // The page could only send GET. The command itself may still be testing its token with a POST.
        Assert.Empty(server.Traffic.To(server.McpUrl.AbsolutePath, "GET"));
        var refused = errors.Where(e => e.Contains("Content Security Policy")).ToList();
        Assert.All(new[] { "inline script", "image", "onnect" }, what => Assert.True(refused.Any(e => e.Contains(what)), string.Join('\n', errors)));
    }

    private static void Keep<T>(List<T> list, bool wanted, T item)
    {
        lock (list)
        {
            if (wanted)
            {
                list.Add(item);
            }
        }
    }
}
