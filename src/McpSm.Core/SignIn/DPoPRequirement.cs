namespace McpSm.Core.SignIn;

/// <summary>Whether the tokens of a sign-in are bound to a key (RFC 9449, rule 35 of docs/rules.md).</summary>
internal enum DPoPRequirement
{
    /// <summary>Neither the server nor the user requires it: bearer tokens, unless the token endpoint requires DPoP.</summary>
    Unasked,
    /// <summary>The user wants none of it.</summary>
    Unwanted,
    /// <summary>The server knows it: asked for, and a bearer token is taken all the same.</summary>
    Asked,
    /// <summary>The server takes nothing else.</summary>
    Required,
}
