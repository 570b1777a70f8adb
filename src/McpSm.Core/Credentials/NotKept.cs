using McpSm.Core.Errors;

namespace McpSm.Core.Credentials;

/// <summary>Where something is that an issuer gave for good and that could not be kept as it should be.</summary>
internal enum KeptWhere
{
    /// <summary>In the encrypted file, until its vault can be written.</summary>
    Pending,
    /// <summary>In its vault; the facts do not say so yet.</summary>
    WithoutFacts,
    /// <summary>In memory alone.</summary>
    Nowhere,
}

/// <summary>Why something that an issuer gave for good is not kept as it should be.</summary>
/// <param name="Vault">The name of its vault.</param>
/// <param name="File">The name of the file in which it waits.</param>
internal sealed record NotKept(KeptWhere Where, McpAuthException Why, string Vault, string File)
{
    /// <summary>What to tell, with the reason of the failed write.</summary>
    /// <param name="what">What was to be kept, as the subject of a sentence.</param>
    /// <param name="retry">The step that writes it to its vault, or gets another.</param>
    public McpAuthException Tell(string what, Remedy retry) => new(Why.Reason, Where switch
    {
        KeptWhere.Pending => $"{what} waits in {File}, because the vault '{ForeignText.Clean(Vault)}' could not be written. {Why.Message}",
        KeptWhere.WithoutFacts => $"{what} is kept, but credentials.json could not be updated: the status may show the one before. {Why.Message}",
        _ => $"{what} could not be kept, and nothing else renews it. {Why.Message}",
    }, Where == KeptWhere.WithoutFacts ? Why.Remedy : Why.Remedy is null ? retry : $"{Why.Remedy} Then: {retry}", Why)
    { Vault = Why.Vault };
}
