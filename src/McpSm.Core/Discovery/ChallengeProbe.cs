using System.Net;
using System.Net.Http.Headers;
using System.Text;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;

namespace McpSm.Core.Discovery;

/// <summary>
/// One MCP request, to see whether a server wants a credential, or takes the one it is shown. It is the
/// <c>initialize</c> of 2025-11-25, which servers of almost every revision understand well enough to challenge it (see
/// <see cref="ProtocolVersions"/>); for the sse transport the GET that opens the stream. The MCP SDK is not needed, nor loaded, for that.
/// </summary>
public static class ChallengeProbe
{
    /// <param name="headers">The server's own headers, sent along.</param>
    /// <param name="authorize">Puts the credential to show into a request; null for none. It is called for each request.</param>
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
            // The proof lacked the server's nonce, which is known by now.
            return authorize is not null && first.WantsNonce
                ? await SendOnceAsync(http, server, isSse ? null : version, headers, authorize, cancellationToken).ConfigureAwait(false) : first;
        }
    }

    /// <param name="version">The revision of <c>initialize</c>; null for the GET of the sse transport.</param>
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
        {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"{{{{version}}}}","capabilities":{},"clientInfo":{"name":"Mcpsm","version":"0"}}}
        """;

    internal static ChallengeResponse Read(HttpResponseMessage response, Uri server)
    {
        // The typed header drops what it cannot parse; the raw lines keep it.
        var challenges = response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var lines)
            ? lines.SelectMany(Challenge.ParseAll).ToList() : [];
        var moved = (int)response.StatusCode is >= 300 and < 400 && UrlPolicy.Target(response, server) is { Scheme: "http" or "https" } target
            ? target : null;
        return new ChallengeResponse((int)response.StatusCode, challenges,
            response.Content.Headers.ContentType?.MediaType, moved)
        { DPoPNonce = DPoPNonceCache.Remember(server, response) };
    }

    /// <summary>Refuses what no MCP endpoint answers to a request it could have served.</summary>
    /// <param name="of">The server, for the next step.</param>
    /// <exception cref="McpAuthException">ProtocolViolation, ServerUnreachable.</exception>
    public static void RequireMcp(ChallengeResponse answer, Uri server, ServerReference of)
    {
        if (answer.MovedTo is { } moved)
        {
            throw new McpAuthException(ErrorReason.ProtocolViolation,
                $"The server has moved to {UntrustedText.Sanitize(moved.GetLeftPart(UriPartial.Path))}.",
                $"If you trust that address: {new UpdateServerStep(of, StepOptionKind.Url)}")
            { StatusCode = answer.Status };
        }
        if (answer.Status is < 200 or (>= 300 and < 400))
        {
            throw new McpAuthException(ErrorReason.ProtocolViolation,
                $"{UntrustedText.Sanitize(server.GetLeftPart(UriPartial.Path))} is not an MCP endpoint: it answered {DescribeStatus(answer.Status)}, which leads nowhere.",
                $"Check the URL and the type (http or sse) with: {new ListServersStep()}")
            { StatusCode = answer.Status };
        }
        if (answer.Status >= 500)
        {
            throw new McpAuthException(ErrorReason.ServerUnreachable, $"The server answered {DescribeStatus(answer.Status)}.",
                "Try again later.")
            { StatusCode = answer.Status };
        }
        var isHtml = answer.MediaType?.Contains("html", StringComparison.OrdinalIgnoreCase) == true;
        if (isHtml || answer.Status is 404 or 405 or 410)
        {
            throw new McpAuthException(ErrorReason.ProtocolViolation,
                $"{UntrustedText.Sanitize(server.GetLeftPart(UriPartial.Path))} is not an MCP endpoint: it answered "
                + (isHtml ? $"a web page ({answer.Status})." : $"{DescribeStatus(answer.Status)}."),
                $"Check the URL and the type (http or sse) with: {new ListServersStep()}")
            { StatusCode = answer.Status };
        }
    }

    /// <summary>A status as people write it: <c>401 Unauthorized</c>. The phrase is ours, not the server's.</summary>
    public static string DescribeStatus(int status)
    {
        using var phrase = new HttpResponseMessage((HttpStatusCode)Math.Clamp(status, 0, 999));
        return phrase.ReasonPhrase is { Length: > 0 } words ? $"{status} {words}" : $"{status}";
    }
}
