using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Relay.Http;
using McpSm.Relay.Messages;
using Microsoft.AspNetCore.Http;

namespace McpSm.HttpProxy;

/// <summary>A request that the proxy does not answer with an answer of the server.</summary>
internal sealed class RefusedException(int status, ErrorReason reason, string text) : Exception(text)
{
    private Refusal Refusal => new(status, new RelayFailure(status, ErrorId.Of(reason), Message));

    /// <summary>Returns the answer to a caller whose request failed; null if the failure is a bug.</summary>
    public static Refusal? Explain(Exception e, McpServer server, Func<McpAuthException, McpServer, string?> findCommand) => e switch
    {
        RefusedException refused => refused.Refusal,
        McpAuthException auth => Explain(auth, findCommand(auth, server)),
        MessageTooLargeException => new(StatusCodes.Status502BadGateway, new RelayFailure(502, ErrorId.Of(ErrorReason.ProtocolViolation), e.Message)),
        HttpRequestException or IOException => new(StatusCodes.Status502BadGateway, new RelayFailure(503, ErrorId.Of(ErrorReason.ServerUnreachable),
            $"'{server.Name}' cannot be reached.")),
        _ => null,
    };

    /// <summary>
    /// Returns the HTTP status for an answer that the relay wrote in place of the server. It is never 401, which would make a client sign in to the
    /// proxy.
    /// </summary>
    public static int FindStatus(Message answer)
    {
        if (!answer.IsError || RelayError.ReadCode(answer.Bytes) is not { } code)
        {
            return StatusCodes.Status200OK;
        }
        return code switch
        {
            StatusCodes.Status401Unauthorized => StatusCodes.Status503ServiceUnavailable,
            StatusCodes.Status403Forbidden => StatusCodes.Status403Forbidden,
            StatusCodes.Status504GatewayTimeout => StatusCodes.Status504GatewayTimeout,
            _ => StatusCodes.Status502BadGateway,
        };
    }

    private static Refusal Explain(McpAuthException e, string? command)
    {
        var (status, code) = e.Reason switch
        {
            ErrorReason.AuthenticationRequired or ErrorReason.InteractionRequired or ErrorReason.RefreshTokenRejected or ErrorReason.TokenRejected
                    or ErrorReason.OAuthDisabled
                => (StatusCodes.Status503ServiceUnavailable, StatusCodes.Status401Unauthorized),
            ErrorReason.InsufficientScope or ErrorReason.AuthorizationDenied => (StatusCodes.Status403Forbidden, StatusCodes.Status403Forbidden),
            ErrorReason.ServerUnreachable => (StatusCodes.Status502BadGateway, StatusCodes.Status503ServiceUnavailable),
            ErrorReason.UnsafeEndpoint or ErrorReason.ProtocolViolation => (StatusCodes.Status502BadGateway, StatusCodes.Status502BadGateway),
            _ => (StatusCodes.Status500InternalServerError, StatusCodes.Status500InternalServerError),
        };
        var needsPerson = status is StatusCodes.Status503ServiceUnavailable or StatusCodes.Status403Forbidden;
        var text = command is not null && needsPerson ? $"{e.Message} Run '{command}', then try again." : e.Message;
        return new(status, new RelayFailure(code, ErrorId.Of(e.Reason), text, command));
    }
}
