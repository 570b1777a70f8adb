using AngleSharp;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using AngleSharp.Io;

namespace McpSm.Commands.Tests.Interop;

/// <summary>A browser without scripts: reads the pages of an issuer and fills in their forms, only on loopback.</summary>
public sealed class FormVisitor : IDisposable
{
    private const int MostPages = 10;

    private readonly IBrowsingContext _browser = BrowsingContext.New(Configuration.Default.WithDefaultCookies()
        .WithDefaultLoader(new LoaderOptions { Filter = request => new Uri(request.Address.Href).IsLoopback }));

    /// <summary>The headings of the visited pages, in order.</summary>
    public List<string> Headings { get; } = [];

    /// <summary>Signs in as <c>alice</c> and approves every page until one has no form.</summary>
    /// <param name="code">The code for the device page.</param>
    /// <returns>The last page.</returns>
    public async Task<IDocument> AgreeAsync(Uri url, string code = "")
    {
        var page = await OpenAsync(url);
        for (var pages = 0; Form(page) is { } form; pages++)
        {
            if (pages == MostPages)
            {
                throw new InvalidOperationException($"The pages do not end: {string.Join(", ", Headings)}");
            }
            Fill(form, "login", "alice");
            Fill(form, "password", "anything");
            Fill(form, "user_code", code);
            page = Seen(await form.SubmitAsync());
        }
        return page;
    }

    /// <summary>Opens the first page and follows its link to cancel.</summary>
    public async Task<IDocument> RefuseAsync(Uri url)
    {
        var page = await OpenAsync(url);
        var abort = page.Links.OfType<IHtmlAnchorElement>().Single(a => a.Href.EndsWith("/abort", StringComparison.Ordinal));
        return await OpenAsync(new Uri(abort.Href));
    }

    public void Dispose() => _browser.Dispose();

    private async Task<IDocument> OpenAsync(Uri url) => Seen(await _browser.OpenAsync(url.AbsoluteUri));

    private static IHtmlFormElement? Form(IDocument page) => page.Forms.FirstOrDefault();

    private static void Fill(IHtmlFormElement form, string name, string value)
    {
        if (form.Elements[name] is IHtmlInputElement { Value: "" } input)
        {
            input.Value = value;
        }
    }

    private IDocument Seen(IDocument page)
    {
        Headings.Add(page.QuerySelector("h1")?.TextContent ?? "");
        return page;
    }
}
