using System.Net;
using System.Net.Security;
using System.Text.RegularExpressions;

namespace McpSm.Samples;

/// <summary>Does what a user does in a browser during a sign-in, over HTTP and only on loopback.</summary>
public static partial class StandInBrowser
{
    private const int MostHops = 20;

    /// <summary>
    /// Opens the URL, presses Approve or Deny if a page asks, follows every redirect, and returns the last
    /// response: that of the client's callback, or the last page.
    /// </summary>
    /// <exception cref="InvalidOperationException">A redirect leaves loopback, or the redirects do not end.</exception>
    public static async Task<HttpResponseMessage> ClickThroughAsync(
        Uri authorizationUrl,
        bool approve = true,
        RemoteCertificateValidationCallback? trusts = null,
        CancellationToken cancellationToken = default)
    {
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false };
        handler.SslOptions.RemoteCertificateValidationCallback = trusts;
        using var client = new HttpClient(handler);

        var decided = false;
        var next = new HttpRequestMessage(HttpMethod.Get, authorizationUrl);
        for (var hop = 0; hop < MostHops; hop++)
        {
            var url = RequireLoopback(next.RequestUri!);
            HttpResponseMessage answer;
            using (next)
            {
                answer = await client.SendAsync(next, cancellationToken);
            }

            if (answer.Headers.Location is { } location && (int)answer.StatusCode is >= 300 and < 400)
            {
                // No redirect of these issuers keeps the POST method.
                next = new HttpRequestMessage(HttpMethod.Get, new Uri(url, location));
            }
            else if (!decided && Decision(await answer.Content.ReadAsStringAsync(cancellationToken), url, approve) is { } post)
            {
                decided = true;
                next = post;
            }
            else
            {
                return answer;
            }

            answer.Dispose();
        }

        throw new InvalidOperationException($"More than {MostHops} redirects.");
    }

    /// <summary>Opens the one-time start page that a browser is started with.</summary>
    /// <returns>The authorization URL that the page redirects to.</returns>
    public static async Task<Uri> FollowStartAsync(Uri start, CancellationToken cancellationToken = default)
    {
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false });
        using var answer = await client.GetAsync(RequireLoopback(start), cancellationToken);
        return answer.Headers.Location ?? throw new InvalidOperationException($"The start page returned the status {(int)answer.StatusCode}.");
    }

    private static Uri RequireLoopback(Uri url) =>
        url.IsLoopback && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
            ? url
            : throw new InvalidOperationException($"The browser must not leave loopback: {url.Authority}");

    // Submits the form of a page unchanged, with the button of the decision.
    private static HttpRequestMessage? Decision(string html, Uri page, bool approve)
    {
        var form = Form().Match(html);
        var label = approve ? "Approve" : "Deny";
        var button = Button().Matches(form.Value).FirstOrDefault(b => b.Groups["label"].Value.Trim() == label);
        if (!form.Success || button is null)
        {
            return null;
        }

        var fields = Input().Matches(form.Value).Append(button)
            .Select(tag => KeyValuePair.Create(Attribute(tag.Value, "name"), Attribute(tag.Value, "value")))
            .Where(field => field.Key.Length > 0);
        var action = Attribute(form.Groups["tag"].Value, "action");
        return new HttpRequestMessage(HttpMethod.Post, action.Length == 0 ? page : new Uri(page, action))
        {
            Content = new FormUrlEncodedContent(fields),
        };
    }

    private static string Attribute(string tag, string name) =>
        WebUtility.HtmlDecode(Regex.Match(tag, $"""\s{name}="(?<value>[^"]*)""", RegexOptions.IgnoreCase).Groups["value"].Value);

    [GeneratedRegex("""(?<tag><form\b[^>]*>).*?</form>""", RegexOptions.Singleline | RegexOptions.IgnoreCase)]
    private static partial Regex Form();

    [GeneratedRegex("""<input\b[^>]*>""", RegexOptions.IgnoreCase)]
    private static partial Regex Input();

    [GeneratedRegex("""<button\b[^>]*>(?<label>[^<]*)</button>""", RegexOptions.IgnoreCase)]
    private static partial Regex Button();
}
