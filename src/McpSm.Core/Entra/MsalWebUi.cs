using McpSm.Core.Browsing;
using McpSm.Core.Discovery;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using Microsoft.Identity.Client.Extensibility;

namespace McpSm.Core.Entra;

/// <summary>The browser of the library: our own, with our listener, our page, our time limit.</summary>
/// <param name="ask">Sends a person to the URL, and gives the answer that carries the <c>state</c>.</param>
internal sealed class MsalWebUi(EntraIssuer issuer, UrlPolicy policy, Func<Uri, string, CancellationToken, Task<CallbackResponse>> ask) : ICustomWebUi
{
    private CallbackResponse? _answer;

    /// <summary>The cancellation that ended the wait: the library makes another exception of it.</summary>
    public OperationCanceledException? Cancelled { get; private set; }

    public string? Code => _answer?.Values.GetValueOrDefault("code");

    public async Task<Uri> AcquireAuthorizationCodeAsync(Uri authorizationUri, Uri redirectUri, CancellationToken cancellationToken)
    {
        var url = policy.Check(authorizationUri.AbsoluteUri, "The authorization endpoint");
        var state = QueryOf(url).GetValueOrDefault("state") ?? throw new InvalidOperationException("The library asks without a state.");
        try
        {
            _answer = await ask(url, state, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException e)
        {
            Cancelled = e;
            throw;
        }
        // Rule 17 of docs/rules.md: of a shared tenant the answer is from the person's own.
        if (_answer.Values.TryGetValue("iss", out var named) && EntraIssuer.Find(named)?.MayAnswerFor(issuer) != true)
        {
            throw AuthorizationCodeRequest.FromAnother(named);
        }
        if (_answer.Values.TryGetValue("error", out var error))
        {
            throw AuthorizationCodeRequest.Denied(error, OAuthErrorText.Read(_answer.Values));
        }
        var values = _answer.Values.Select(v => $"{Uri.EscapeDataString(v.Key)}={Uri.EscapeDataString(v.Value)}");
        return new UriBuilder(redirectUri) { Query = string.Join('&', values) }.Uri;
    }

    /// <summary>Tells the browser how it ended, where it still waits.</summary>
    public Task FinishAsync(bool signedIn) => _answer?.FinishAsync(signedIn) ?? Task.CompletedTask;

    private static Dictionary<string, string> QueryOf(Uri url) => url.Query.TrimStart('?').Split('&').Select(p => p.Split('=', 2))
        .Where(p => p.Length == 2).ToDictionary(p => p[0], p => Uri.UnescapeDataString(p[1]));
}
