using McpSm.Core.Browsing;
using McpSm.Core.Discovery;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using Microsoft.Identity.Client.Extensibility;

namespace McpSm.Core.Entra;

/// <summary>The browser sign-in of MSAL, with our listener, our page and our time limit.</summary>
/// <remarks><c>ask</c> opens the URL for the person, and returns the response with the given <c>state</c>.</remarks>
internal sealed class MsalWebUi(EntraIssuer issuer, UrlPolicy policy, Func<Uri, string, CancellationToken, Task<CallbackResponse>> ask) : ICustomWebUi
{
    private CallbackResponse? _answer;

    /// <summary>The cancellation that ended the wait. MSAL replaces it with another exception.</summary>
    public OperationCanceledException? Cancelled { get; private set; }

    public string? Code => _answer?.Values.GetValueOrDefault("code");

    public async Task<Uri> AcquireAuthorizationCodeAsync(Uri authorizationUri, Uri redirectUri, CancellationToken cancellationToken)
    {
        var url = policy.Check(authorizationUri.AbsoluteUri, "The authorization endpoint");
        var state = QueryOf(url).GetValueOrDefault("state") ?? throw new InvalidOperationException("MSAL sent no state.");
        try
        {
            _answer = await ask(url, state, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException e)
        {
            Cancelled = e;
            throw;
        }
        // Rule 17 of docs/rules.md: for a shared tenant, the response is from the tenant of the person.
        if (_answer.Values.TryGetValue("iss", out var responseIssuer) && EntraIssuer.Find(responseIssuer)?.MayAnswerFor(issuer) != true)
        {
            throw AuthorizationCodeRequest.FromAnother(responseIssuer);
        }
        if (_answer.Values.TryGetValue("error", out var error))
        {
            throw AuthorizationCodeRequest.Denied(error, OAuthErrorText.Read(_answer.Values));
        }
        var values = _answer.Values.Select(v => $"{Uri.EscapeDataString(v.Key)}={Uri.EscapeDataString(v.Value)}");
        return new UriBuilder(redirectUri) { Query = string.Join('&', values) }.Uri;
    }

    /// <summary>Shows the result in the browser, if the browser still waits for it.</summary>
    public Task FinishAsync(bool signedIn) => _answer?.FinishAsync(signedIn) ?? Task.CompletedTask;

    private static Dictionary<string, string> QueryOf(Uri url) => url.Query.TrimStart('?').Split('&').Select(p => p.Split('=', 2))
        .Where(p => p.Length == 2).ToDictionary(p => p[0], p => Uri.UnescapeDataString(p[1]));
}
