using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>The page that shows the client and its request to the user, who approves or denies.</summary>
internal static class ConsentPage
{
    public const string Handle = "request";
    public const string Decision = "decision";
    public const string ApproveValue = "approve";
    public const string DenyValue = "deny";

    public const string Buttons = $"""
        <button class="go" type="submit" name="{Decision}" value="{ApproveValue}">Approve</button>
        <button type="submit" name="{Decision}" value="{DenyValue}">Deny</button>
        """;

    public static Task WriteAsync(HttpContext context, AuthorizationRequest request, string handle, string issuer)
    {
        var name = request.Client.ClientName ?? request.Client.ClientId;
        var redirect = new Uri(request.RedirectUri);
        var body = $"""
            <p>The client asks this issuer, {HtmlPage.Encode(issuer)}, for a token in your name.</p>
            <dl>
            <dt>For the server</dt>{Items(request.Resources)}
            <dt>With the scopes</dt>{Items(request.Scopes)}
            <dt>Then you return to</dt><dd>{HtmlPage.Encode(redirect.Authority)}</dd>
            </dl>
            <form method="post">
            <input type="hidden" name="{Handle}" value="{handle}">
            {Buttons}
            </form>
            """;
        return HtmlPage.WriteAsync(
            context, 200, $"Approve {name}?", body, redirect.GetLeftPart(UriPartial.Authority));
    }

    private static string Items(IReadOnlyList<string> items) =>
        items.Count == 0 ? "<dd>none</dd>" : string.Concat(items.Select(i => $"<dd>{HtmlPage.Encode(i)}</dd>"));
}
