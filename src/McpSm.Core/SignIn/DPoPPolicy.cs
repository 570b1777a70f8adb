using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>
/// When to use DPoP. That an issuer lists it is not enough: many do, of servers that know bearer tokens alone, and would
/// refuse a bound one.
/// </summary>
internal static class DPoPPolicy
{
    /// <exception cref="McpAuthException">MetadataInvalid: it is required, by an algorithm that is not ours.</exception>
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
            // It binds tokens by means of its own.
            return !required ? DPoPRequirement.Unwanted : throw new McpAuthException(ErrorReason.MetadataInvalid,
                $"'{server.Name}' is to get tokens that are bound to a key (DPoP), and Microsoft Entra ID gives none.",
                $"If the server takes bearer tokens all the same: {new UpdateServerStep(server, new StepOption(StepOptionKind.DPoP, "never"))}");
        }
        if (required)
        {
            RequireAlgorithm(resource?.DPoPAlgorithms, $"'{server.Name}' takes");
            RequireAlgorithm(issuer.DPoPAlgorithms, $"'{server.Name}' wants tokens that are bound to a key (DPoP), and its issuer takes");
            return DPoPRequirement.Required;
        }
        // Where an issuer does not say what it takes, a proof that it does not know changes nothing (RFC 9449 section 5).
        return (challenged || resource?.DPoPAlgorithms?.Contains(DPoPProof.Algorithm) == true)
            && (issuer.DPoPAlgorithms?.Contains(DPoPProof.Algorithm) ?? challenged) ? DPoPRequirement.Asked : DPoPRequirement.Unasked;
    }

    /// <summary>How the tokens are asked for, with a key of this sign-in's own.</summary>
    public static SenderConstraint Bind(this DPoPRequirement demand) =>
        new(demand is DPoPRequirement.Asked or DPoPRequirement.Required ? DPoPKey.Create() : null, demand == DPoPRequirement.Required,
            demand != DPoPRequirement.Unwanted);

    private static void RequireAlgorithm(IReadOnlyList<string>? algorithms, string who)
    {
        if (algorithms?.Contains(DPoPProof.Algorithm) == false)
        {
            var listed = algorithms.Count == 0 ? "no algorithm" : UntrustedText.Sanitize(string.Join(", ", algorithms));
            throw new McpAuthException(ErrorReason.MetadataInvalid, $"{who} proofs by {listed}; ours are by {DPoPProof.Algorithm}.",
                $"Ask its operator to take {DPoPProof.Algorithm}.");
        }
    }
}
