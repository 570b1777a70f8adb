using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>The layout of every page: without scripts and external content, in light and dark mode.</summary>
internal static class HtmlPage
{
    private const string Style = """
        :root { color-scheme: light dark; --card: light-dark(#fff, #1c1f24); --line: light-dark(#d5d9e0, #383d46);
          --soft: light-dark(#59636e, #9aa4b0); --accent: light-dark(#0b57d0, #8ab4f8); }
        body { margin: 0; min-height: 100vh; display: grid; place-items: center; font: 16px/1.5 system-ui, sans-serif;
          background: light-dark(#f3f5f8, #121417); color: light-dark(#1a1d21, #e8eaed); }
        main { box-sizing: border-box; width: min(28rem, calc(100vw - 2rem)); padding: 2rem; border-radius: .75rem;
          background: var(--card); border: 1px solid var(--line); }
        h1 { font-size: 1.3rem; margin: 0 0 .75rem; line-height: 1.3; }
        dt { color: var(--soft); font-size: .85rem; } dd { margin: 0 0 .75rem; overflow-wrap: anywhere; }
        form { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.25rem; }
        label { flex-basis: 100%; } button, input { font: inherit; padding: .5rem 1.1rem; border-radius: .5rem; }
        button, input { border: 1px solid var(--line); background: none; color: inherit; cursor: pointer; }
        input { display: block; width: 100%; box-sizing: border-box; cursor: text; letter-spacing: .1em; }
        button.go { border-color: var(--accent); background: var(--accent); color: light-dark(#fff, #10131a); }
        """;

    public static string Encode(string text) => HtmlEncoder.Default.Encode(text);

    public static Task MessageAsync(HttpContext context, int status, string title, string text) =>
        WriteAsync(context, status, title, $"<p>{Encode(text)}</p>");

    /// <param name="context">The request.</param>
    /// <param name="status">The HTTP status.</param>
    /// <param name="title">The title as plain text.</param>
    /// <param name="body">The HTML below the title.</param>
    /// <param name="redirectTarget">The URL that the response to a posted form can redirect to; null for no redirect.</param>
    public static Task WriteAsync(HttpContext context, int status, string title, string body, string? redirectTarget = null)
    {
        var nonce = Secrets.New("");

        // form-action also restricts redirects after a posted form: without the target, browsers block
        // the redirect to the client.
        var formAction = redirectTarget is null ? "'self'" : $"'self' {redirectTarget}";
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        response.Headers.ContentSecurityPolicy =
            $"default-src 'none'; style-src 'nonce-{nonce}'; form-action {formAction}; "
            + "frame-ancestors 'none'; base-uri 'none'";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        var html = $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <title>{Encode(title)}</title>
            <style nonce="{nonce}">{Style}</style>
            </head>
            <body><main>
            <h1>{Encode(title)}</h1>
            {body}
            </main></body>
            </html>
            """;
        return response.WriteAsync(html, Encoding.UTF8, context.RequestAborted);
    }
}
