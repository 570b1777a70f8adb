using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>
/// Decides when to use DPoP. It is not enough that the issuer supports it: many servers of such issuers accept only bearer tokens, and refuse
/// a bound token.
/// </summary>
internal static class DPoPPolicy
{
    /// <exception cref="McpAuthException">MetadataInvalid: DPoP is required, with an algorithm that Mcpsm does not support.</exception>
    public static DPoPRequirement Create(McpServer server, ChallengeResponse answer, ProtectedResourceMetadata? resource, AuthorizationServerMetadata issuer)
    {
        if (server.DPoP == DPoPMode.Never)
        {
            return DPoPRequirement.Unwanted;
        }
        var challenged = answer.Challenges.Any(c => c.IsDPoP);
        var required = server.DPoP == DPoPMode.Always || resource?.RequiresDPoP == true || (challenged && !answer.Challenges.Any(c => c.IsBearer));
        if (EntraIssuer.Find(issuer.Issuer) is not null)
        {
            // Entra ID binds tokens in a way of its own.
            return !required ? DPoPRequirement.Unwanted : throw new McpAuthException(ErrorReason.MetadataInvalid,
                $"'{server.Name}' requires tokens that are bound to a key (DPoP), which Microsoft Entra ID does not issue.",
                $"If the server accepts bearer tokens too: {new UpdateServerStep(server, new StepOption(StepOptionKind.DPoP, "never"))}");
        }
        if (required)
        {
            RequireAlgorithm(resource?.DPoPAlgorithms, $"'{server.Name}'");
            RequireAlgorithm(issuer.DPoPAlgorithms, $"'{server.Name}' requires tokens that are bound to a key (DPoP), and its issuer");
            return DPoPRequirement.Required;
        }
        // If an issuer does not list its algorithms, it ignores a proof that it does not support (RFC 9449 section 5).
        return (challenged || resource?.DPoPAlgorithms?.Contains(DPoPProof.Algorithm) == true)
            && (issuer.DPoPAlgorithms?.Contains(DPoPProof.Algorithm) ?? challenged) ? DPoPRequirement.Asked : DPoPRequirement.Unasked;
    }

    /// <summary>Returns how to request the tokens. Each sign-in has a key of its own.</summary>
    public static SenderConstraint Bind(this DPoPRequirement demand) =>
        new(demand is DPoPRequirement.Asked or DPoPRequirement.Required ? DPoPKey.Create() : null, demand == DPoPRequirement.Required,
            demand != DPoPRequirement.Unwanted);

    private static void RequireAlgorithm(IReadOnlyList<string>? algorithms, string who)
    {
        if (algorithms?.Contains(DPoPProof.Algorithm) == false)
        {
            var listed = algorithms.Count == 0 ? "no algorithm" : UntrustedText.Sanitize(string.Join(", ", algorithms));
            throw new McpAuthException(ErrorReason.MetadataInvalid, $"{who} accepts DPoP proofs with {listed}, but Mcpsm supports only {DPoPProof.Algorithm}.",
                $"Ask its operator to support {DPoPProof.Algorithm}.");
        }
    }
}
