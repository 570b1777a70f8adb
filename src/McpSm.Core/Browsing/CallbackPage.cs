using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace McpSm.Core.Browsing;

/// <summary>The page at the end of a sign-in. It shows only our own text, and nothing from the request.</summary>
internal static class CallbackPage
{
    private const string Style = """
        :root{color-scheme:light dark}
        body{margin:0;min-height:100vh;display:grid;place-items:center;font:16px/1.5 system-ui,sans-serif;background:#f4f5f7;color:#1c2128}
        main{max-width:26rem;margin:1rem;padding:2.5rem;border-radius:14px;background:#fff;box-shadow:0 1px 3px #0002,0 8px 30px #0001;text-align:center}
        b{display:grid;place-items:center;width:3.5rem;height:3.5rem;margin:0 auto;border-radius:50%;font-size:1.75rem;color:#fff}
        .good b{background:#1a7f37}.bad b{background:#cf222e}
        h1,p{text-wrap:balance}
        h1{font-size:1.35rem;margin:1.25rem 0 .5rem;overflow-wrap:anywhere}
        p{margin:0;color:#57606a}
        @media(prefers-color-scheme:dark){
        body{background:#0d1117;color:#e6edf3}main{background:#161b22;box-shadow:0 0 0 1px #30363d}p{color:#9198a1}
        .good b{background:#238636}.bad b{background:#da3633}}
        """;

    private static readonly string StyleHash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)));

    public static string Policy { get; } =
        $"default-src 'none'; style-src 'sha256-{StyleHash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static string Success(string server) => Page(true, $"Signed in to {server}", "You can close this window and return to the terminal.");

    public static string Failure(string server) => Page(false, $"Not signed in to {server}", "See the terminal for the reason and the next step.");

    public static string NotFound { get; } = Page(false, "Page not found", "This address is only for the callback of a sign-in in progress.");

    private static string Page(bool good, string title, string text) => $"""
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <link rel="icon" href="data:,"><title>{WebUtility.HtmlEncode(title)} · Mcpsm</title>
        <style>{Style}</style></head>
        <body><main class="{(good ? "good" : "bad")}"><b aria-hidden="true">{(good ? "✓" : "✕")}</b>
        <h1>{WebUtility.HtmlEncode(title)}</h1><p>{text}</p></main></body></html>
        """;
}
