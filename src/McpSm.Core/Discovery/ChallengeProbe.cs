using System.Net;
using System.Net.Http.Headers;
using System.Text;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;

namespace McpSm.Core.Discovery;

/// <summary>
/// Sends one MCP request, to see whether a server requires a credential or accepts the given one. The request is the <c>initialize</c> of revision
/// 2025-11-25, which servers of almost every revision understand well enough to send a challenge (see <see cref="ProtocolVersions"/>). For the sse
/// transport it is the GET that opens the stream. This avoids loading the MCP SDK.
/// </summary>
internal static class ChallengeProbe
{
    /// <summary>Sends the request, with older revisions if the server rejects the newest.</summary>
    /// <param name="http">The client for the request.</param>
    /// <param name="server">The URL of the server.</param>
    /// <param name="isSse">Whether the server uses the sse transport.</param>
    /// <param name="headers">The extra headers of the server.</param>
    /// <param name="authorize">Adds the credential to a request; null to send none. It is called for each request.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="McpAuthException">ServerUnreachable, UnsafeEndpoint.</exception>
    public static async Task<ChallengeResponse> SendAsync(RestrictedHttpClient http, Uri server, bool isSse,
        IReadOnlyDictionary<string, string> headers, Action<HttpRequestMessage>? authorize, CancellationToken cancellationToken)
    {
        var answer = await SendAsync(ProtocolVersions.Newest).ConfigureAwait(false);
        for (var i = 0; answer.Status == 400 && !isSse && i < ProtocolVersions.Older.Count; i++)
        {
            answer = await SendAsync(ProtocolVersions.Older[i]).ConfigureAwait(false);
        }
        return answer;

        async Task<ChallengeResponse> SendAsync(string version)
        {
            var first = await SendOnceAsync(http, server, isSse ? null : version, headers, authorize, cancellationToken).ConfigureAwait(false);
            // The proof lacked the server's nonce. The first response has provided it.
            return authorize is not null && first.WantsNonce
                ? await SendOnceAsync(http, server, isSse ? null : version, headers, authorize, cancellationToken).ConfigureAwait(false) : first;
        }
    }

    /// <summary>Sends one request and reads the headers of the response.</summary>
    /// <param name="http">The client for the request.</param>
    /// <param name="server">The URL of the server.</param>
    /// <param name="version">The revision of <c>initialize</c>; null for the GET of the sse transport.</param>
    /// <param name="headers">The extra headers of the server.</param>
    /// <param name="authorize">Adds the credential to the request; null to send none.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    private static async Task<ChallengeResponse> SendOnceAsync(RestrictedHttpClient http, Uri server, string? version,
        IReadOnlyDictionary<string, string> headers, Action<HttpRequestMessage>? authorize, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(version is null ? HttpMethod.Get : HttpMethod.Post, server);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (version is not null)
        {
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            request.Content = new StringContent(Initialize(version), Encoding.UTF8, "application/json");
            request.Content.Headers.ContentType!.CharSet = null;
        }
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        authorize?.Invoke(request);
        using var response = await http.SendForHeadersAsync(request, cancellationToken).ConfigureAwait(false);
        return Read(response, server);
    }

    private static string Initialize(string version) => $$$$"""
        {"jsonrpc":"2.0","id":1,"method":"initialize",
        "params":{"protocolVersion":"{{{{version}}}}","capabilities":{},"clientInfo":{"name":"Mcpsm","version":"0"}}}
        """;

    internal static ChallengeResponse Read(HttpResponseMessage response, Uri server)
    {
        // The typed header drops values that it cannot parse; the raw values keep them.
        var challenges = response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var lines)
            ? lines.SelectMany(Challenge.ParseAll).ToList() : [];
        var moved = (int)response.StatusCode is >= 300 and < 400 && UrlPolicy.Target(response, server) is { Scheme: "http" or "https" } target
            ? target : null;
        return new ChallengeResponse((int)response.StatusCode, challenges,
            response.Content.Headers.ContentType?.MediaType, moved)
        { DPoPNonce = DPoPNonceCache.Remember(server, response) };
    }

    /// <summary>Fails if the response cannot come from an MCP endpoint.</summary>
    /// <param name="answer">The response.</param>
    /// <param name="server">The URL of the server.</param>
    /// <param name="reference">The server, for the remedy.</param>
    /// <exception cref="McpAuthException">ProtocolViolation, ServerUnreachable.</exception>
    public static void RequireMcp(ChallengeResponse answer, Uri server, ServerReference reference)
    {
        if (answer.MovedTo is { } moved)
        {
            throw new McpAuthException(ErrorReason.ProtocolViolation,
                $"The server redirects to {UntrustedText.Sanitize(moved.GetLeftPart(UriPartial.Path))}.",
                $"If you trust that URL: {new UpdateServerStep(reference, StepOptionKind.Url)}")
            { StatusCode = answer.Status };
        }
        if (answer.Status is < 200 or (>= 300 and < 400))
        {
            throw new McpAuthException(ErrorReason.ProtocolViolation,
                $"{UntrustedText.Sanitize(server.GetLeftPart(UriPartial.Path))} is not an MCP endpoint: "
                + $"it returned {DescribeStatus(answer.Status)} without a usable location.",
                $"Check the URL and the type (http or sse) with: {new ListServersStep()}")
            { StatusCode = answer.Status };
        }
        if (answer.Status >= 500)
        {
            throw new McpAuthException(ErrorReason.ServerUnreachable, $"The server returned {DescribeStatus(answer.Status)}.",
                "Try again later.")
            { StatusCode = answer.Status };
        }
        var isHtml = answer.MediaType?.Contains("html", StringComparison.OrdinalIgnoreCase) == true;
        if (isHtml || answer.Status is 404 or 405 or 410)
        {
            throw new McpAuthException(ErrorReason.ProtocolViolation,
                $"{UntrustedText.Sanitize(server.GetLeftPart(UriPartial.Path))} is not an MCP endpoint: it returned "
                + (isHtml ? $"a web page ({answer.Status})." : $"{DescribeStatus(answer.Status)}."),
                $"Check the URL and the type (http or sse) with: {new ListServersStep()}")
            { StatusCode = answer.Status };
        }
    }

    /// <summary>Returns a status with its reason phrase, such as <c>401 Unauthorized</c>. The phrase comes from .NET, not from the server.</summary>
    public static string DescribeStatus(int status)
    {
        using var phrase = new HttpResponseMessage((HttpStatusCode)Math.Clamp(status, 0, 999));
        return phrase.ReasonPhrase is { Length: > 0 } words ? $"{status} {words}" : $"{status}";
    }
}
