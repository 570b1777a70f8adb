using System.Net;
using System.Net.Http.Headers;
using System.Text;
using McpSm.Core.Errors;

namespace McpSm.Core.Discovery;

/// <summary>What a server says to one MCP request.</summary>
public sealed record ServerAnswer(int Status, IReadOnlyList<Challenge> Challenges, string? MediaType, Uri? MovedTo)
{
    /// <summary>The challenge to answer: a Bearer one, or DPoP one where that alone says what went wrong, or stands alone.</summary>
    public Challenge? Challenge
    {
        get
        {
            var (bearer, dpop) = (First(c => c.IsBearer), First(c => c.IsDPoP));
            return bearer is null || (dpop?["error"] is not null && bearer["error"] is null) ? dpop : bearer;
        }
    }

    /// <summary>The scopes that are asked for; null where no challenge names any.</summary>
    public IReadOnlyList<string>? Scopes => Challenge?.Scopes
        ?? Challenges.Where(c => c.IsBearer || c.IsDPoP).Select(c => c.Scopes).FirstOrDefault(s => s is not null);

    /// <summary>The challenge that says where the resource metadata is, where one does; else the one to answer.</summary>
    public Challenge? MetadataChallenge => Challenge?["resource_metadata"] is not null ? Challenge
        : Challenges.FirstOrDefault(c => (c.IsBearer || c.IsDPoP) && c["resource_metadata"] is not null) ?? Challenge;

    /// <summary>The nonce that came along for the next proof; null where none did.</summary>
    public string? DPoPNonce { get; init; }

    /// <summary>The proof that was sent lacks the server's nonce, which is here (RFC 9449 section 9).</summary>
    public bool WantsNonce => Status == 401 && DPoPNonce is not null && Challenges.Any(c => c.IsDPoP && c["error"] == "use_dpop_nonce");

    public bool AsksForCredential => Status == 401 || (Status == 403 && Challenge is not null);

    /// <summary>The token that was sent is good, and lacks a scope (RFC 6750 section 3.1).</summary>
    public bool IsInsufficientScope => Status == 403 && Challenge?["error"] == "insufficient_scope";

    /// <summary>
    /// The first of a scheme; where there are several, as where a gateway adds its own or two handlers of a server do, the
    /// first that says what went wrong.
    /// </summary>
    private Challenge? First(Func<Challenge, bool> isOf) =>
        Challenges.FirstOrDefault(c => isOf(c) && c["error"] is not null) ?? Challenges.FirstOrDefault(isOf);
}

/// <summary>
/// One MCP request, to see whether a server wants a credential, or takes the one it is shown. It is the
/// <c>initialize</c> of 2025-11-25, which servers of almost every revision understand well enough to challenge it (see
/// <see cref="ProtocolVersions"/>); for the sse transport the GET that opens the stream. The MCP SDK is not needed, nor loaded, for that.
/// </summary>
public static class ServerQuestion
{
    /// <param name="headers">The server's own headers, sent along.</param>
    /// <param name="authorize">Puts the credential to show into a request; null for none. It is called for each request.</param>
    /// <exception cref="McpAuthException">ServerUnreachable, UnsafeEndpoint.</exception>
    public static async Task<ServerAnswer> AskAsync(SafeHttp http, Uri server, bool isSse,
        IReadOnlyDictionary<string, string> headers, Action<HttpRequestMessage>? authorize, CancellationToken cancellationToken)
    {
        var answer = await AskAsync(ProtocolVersions.Newest).ConfigureAwait(false);
        for (var i = 0; answer.Status == 400 && !isSse && i < ProtocolVersions.Older.Count; i++)
        {
            answer = await AskAsync(ProtocolVersions.Older[i]).ConfigureAwait(false);
        }
        return answer;

        async Task<ServerAnswer> AskAsync(string version)
        {
            var first = await AskOnceAsync(http, server, isSse ? null : version, headers, authorize, cancellationToken).ConfigureAwait(false);
            // The proof lacked the server's nonce, which is known by now.
            return authorize is not null && first.WantsNonce
                ? await AskOnceAsync(http, server, isSse ? null : version, headers, authorize, cancellationToken).ConfigureAwait(false) : first;
        }
    }

    /// <param name="version">The revision of <c>initialize</c>; null for the GET of the sse transport.</param>
    private static async Task<ServerAnswer> AskOnceAsync(SafeHttp http, Uri server, string? version,
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

    internal static ServerAnswer Read(HttpResponseMessage response, Uri server)
    {
        // The typed header drops what it cannot parse; the raw lines keep it.
        var challenges = response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var lines)
            ? lines.SelectMany(Challenge.ParseAll).ToList() : [];
        var moved = (int)response.StatusCode is >= 300 and < 400 && UrlPolicy.Target(response, server) is { Scheme: "http" or "https" } target
            ? target : null;
        return new ServerAnswer((int)response.StatusCode, challenges,
            response.Content.Headers.ContentType?.MediaType, moved)
        { DPoPNonce = DPoPNonces.Remember(server, response) };
    }

    /// <summary>Refuses what no MCP endpoint answers to a request it could have served.</summary>
    /// <param name="of">The server, for the next step.</param>
    /// <exception cref="McpAuthException">ProtocolViolation, ServerUnreachable.</exception>
    public static void RequireMcp(ServerAnswer answer, Uri server, ServerReference of)
    {
        if (answer.MovedTo is { } moved)
        {
            throw new McpAuthException(ErrorReason.ProtocolViolation,
                $"The server has moved to {ForeignText.Clean(moved.GetLeftPart(UriPartial.Path))}.",
                $"If you trust that address: {new UpdateServerStep(of, StepOptionKind.Url)}")
            { StatusCode = answer.Status };
        }
        if (answer.Status is < 200 or (>= 300 and < 400))
        {
            throw new McpAuthException(ErrorReason.ProtocolViolation,
                $"{ForeignText.Clean(server.GetLeftPart(UriPartial.Path))} is not an MCP endpoint: it answered {Words(answer.Status)}, which leads nowhere.",
                $"Check the URL and the type (http or sse) with: {new ListServersStep()}")
            { StatusCode = answer.Status };
        }
        if (answer.Status >= 500)
        {
            throw new McpAuthException(ErrorReason.ServerUnreachable, $"The server answered {Words(answer.Status)}.",
                "Try again later.")
            { StatusCode = answer.Status };
        }
        var isHtml = answer.MediaType?.Contains("html", StringComparison.OrdinalIgnoreCase) == true;
        if (isHtml || answer.Status is 404 or 405 or 410)
        {
            throw new McpAuthException(ErrorReason.ProtocolViolation,
                $"{ForeignText.Clean(server.GetLeftPart(UriPartial.Path))} is not an MCP endpoint: it answered "
                + (isHtml ? $"a web page ({answer.Status})." : $"{Words(answer.Status)}."),
                $"Check the URL and the type (http or sse) with: {new ListServersStep()}")
            { StatusCode = answer.Status };
        }
    }

    /// <summary>A status as people write it: <c>401 Unauthorized</c>. The phrase is ours, not the server's.</summary>
    public static string Words(int status)
    {
        using var phrase = new HttpResponseMessage((HttpStatusCode)Math.Clamp(status, 0, 999));
        return phrase.ReasonPhrase is { Length: > 0 } words ? $"{status} {words}" : $"{status}";
    }
}
