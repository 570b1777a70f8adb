using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Servers;

namespace McpSm.Core;

/// <summary>Whether the tokens of a sign-in are bound to a key (RFC 9449, rule 35 of docs/rules.md).</summary>
internal enum DPoPDemand
{
    /// <summary>Nobody asks for it: bearer tokens, unless the token endpoint wants otherwise.</summary>
    Unasked,
    /// <summary>The user wants none of it.</summary>
    Unwanted,
    /// <summary>The server knows it: asked for, and a bearer token is taken all the same.</summary>
    Asked,
    /// <summary>The server takes nothing else.</summary>
    Required,
}

/// <summary>
/// When to use DPoP. That an issuer lists it is not enough: many do, of servers that know bearer tokens alone, and would
/// refuse a bound one.
/// </summary>
internal static class DPoPDemands
{
    /// <exception cref="McpAuthException">MetadataInvalid: it is required, by an algorithm that is not ours.</exception>
    public static DPoPDemand Of(McpServer server, ServerAnswer answer, ResourceMetadata? resource, IssuerMetadata issuer)
    {
        if (server.DPoP == DPoPMode.Never)
        {
            return DPoPDemand.Unwanted;
        }
        var challenged = answer.Challenges.Any(c => c.IsDPoP);
        var required = server.DPoP == DPoPMode.Always || resource?.RequiresDPoP == true || (challenged && !answer.Challenges.Any(c => c.IsBearer));
        if (EntraIssuer.Find(issuer.Issuer) is not null)
        {
            // It binds tokens by means of its own.
            return !required ? DPoPDemand.Unwanted : throw new McpAuthException(ErrorReason.MetadataInvalid,
                $"'{server.Name}' is to get tokens that are bound to a key (DPoP), and Microsoft Entra ID gives none.",
                $"If the server takes bearer tokens all the same: {new UpdateServerStep(server, new StepOption(StepOptionKind.DPoP, "never"))}");
        }
        if (required)
        {
            RequireAlgorithm(resource?.DPoPAlgorithms, $"'{server.Name}' takes");
            RequireAlgorithm(issuer.DPoPAlgorithms, $"'{server.Name}' wants tokens that are bound to a key (DPoP), and its issuer takes");
            return DPoPDemand.Required;
        }
        // Where an issuer does not say what it takes, a proof that it does not know changes nothing (RFC 9449 section 5).
        return (challenged || resource?.DPoPAlgorithms?.Contains(DPoPProof.Algorithm) == true)
            && (issuer.DPoPAlgorithms?.Contains(DPoPProof.Algorithm) ?? challenged) ? DPoPDemand.Asked : DPoPDemand.Unasked;
    }

    /// <summary>How the tokens are asked for, with a key of this sign-in's own.</summary>
    public static TokenBinding Bind(this DPoPDemand demand) =>
        new(demand is DPoPDemand.Asked or DPoPDemand.Required ? DPoPKey.Create() : null, demand == DPoPDemand.Required, demand != DPoPDemand.Unwanted);

    private static void RequireAlgorithm(IReadOnlyList<string>? algorithms, string who)
    {
        if (algorithms?.Contains(DPoPProof.Algorithm) == false)
        {
            throw new McpAuthException(ErrorReason.MetadataInvalid,
                $"{who} proofs by {(algorithms.Count == 0 ? "no algorithm" : ForeignText.Clean(string.Join(", ", algorithms)))}; ours are by {DPoPProof.Algorithm}.",
                $"Ask whoever runs it to take {DPoPProof.Algorithm}.");
        }
    }
}
