namespace McpSm.Core.SignIn;

/// <summary>Whether the tokens of a sign-in are bound to a key (RFC 9449, rule 35 of docs/rules.md).</summary>
internal enum DPoPRequirement
{
    /// <summary>Neither the server nor the user requires it: bearer tokens, unless the token endpoint requires DPoP.</summary>
    Unasked,
    /// <summary>The user has turned DPoP off.</summary>
    Unwanted,
    /// <summary>The server supports DPoP: Mcpsm asks for a bound token, and accepts a bearer token too.</summary>
    Asked,
    /// <summary>The server accepts only bound tokens.</summary>
    Required,
}
