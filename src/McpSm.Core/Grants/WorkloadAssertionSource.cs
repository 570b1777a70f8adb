using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;

namespace McpSm.Core.Grants;

/// <summary>
/// The place where the platform of a workload puts its assertion (RFC 7523): a file, as in Kubernetes, or an environment variable. Only the
/// place is stored. The platform replaces the assertion often, so it is read again at each use (rule 36 of docs/rules.md).
/// </summary>
public sealed record WorkloadAssertionSource
{
    // Kubernetes and GitHub issue assertions of 1 to 2 KiB.
    private const int MaxAssertionBytes = 64 * 1024;

    /// <summary>An absolute path.</summary>
    [JsonInclude]
    [JsonPropertyName("file")]
    internal string? File { get; init; }

    /// <summary>The name of an environment variable.</summary>
    [JsonInclude]
    [JsonPropertyName("variable")]
    internal string? Variable { get; init; }

    /// <summary>The place as one text.</summary>
    [JsonIgnore]
    internal string Location => File is null ? "env:" + Variable : "file:" + File;

    /// <summary>The option of a sign-in that names the place.</summary>
    [JsonIgnore]
    internal StepOption Option => File is null ? new(StepOptionKind.AssertionVariable, Variable!) : new(StepOptionKind.AssertionFile, File);

    private string Describe => File is null ? $"the variable '{UntrustedText.Sanitize(Variable)}'"
        : UserFile.Name(File) is { } name ? $"the file '{name}'" : "the given file";

    /// <summary>Uses a file, which need not exist yet. A relative path is resolved against the present current folder.</summary>
    /// <exception cref="McpAuthException">InvalidValue: the path is not valid.</exception>
    public static WorkloadAssertionSource FromFile(string path)
    {
        try
        {
            return new WorkloadAssertionSource { File = Path.GetFullPath(path) };
        }
        catch (ArgumentException)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "The assertion file needs a valid path.");
        }
    }

    /// <summary>Uses an environment variable, which need not be set yet.</summary>
    /// <exception cref="McpAuthException">InvalidValue: the name is not valid. The message does not repeat it, because it may be the assertion.</exception>
    public static WorkloadAssertionSource FromVariable(string name)
    {
        if (name.Length is 0 or > 255 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') || char.IsAsciiDigit(name[0]))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "The assertion variable needs a name of letters, digits and underscores.");
        }
        SecretEnvironmentVariables.Add(name);
        return new WorkloadAssertionSource { Variable = name };
    }

    /// <summary>Reads the present assertion, without white space around it.</summary>
    /// <exception cref="McpAuthException">InvalidValue: it is missing, or not a signed JWT. The message does not contain it.</exception>
    internal string Read(AppEnvironment environment, CancellationToken cancellationToken = default)
    {
        var text = (File is null ? environment.SecretVariable(Variable!) ?? throw Unusable("it is not set")
            : Encoding.Latin1.GetString(UserFile.Read(File, MaxAssertionBytes, Unusable, cancellationToken))).Trim();
        return text.Length == 0 ? throw Unusable("it is empty")
            : text.Length > MaxAssertionBytes ? throw Unusable("it is larger than 64 KiB")
            : IsSigned(text) ? text : throw Unusable("it does not contain a signed JWT");
    }

    /// <summary>Returns the place, without the assertion.</summary>
    public override string ToString() => Location;

    /// <summary>
    /// Returns whether the text has the form of a JWS (RFC 7515 section 3.1), so that the content of a wrong file, such as a key, is not sent
    /// to an issuer.
    /// </summary>
    private static bool IsSigned(string text)
    {
        // Checked by hand, because the library also accepts padding and white space, which a JWS does not have.
        if (text.Split('.') is not [{ Length: > 0 } header, { Length: > 0 }, { Length: > 0 }]
            || !text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            return false;
        }
        try
        {
            using var json = JsonDocument.Parse(Base64Url.DecodeFromChars(header));
            return json.RootElement is { ValueKind: JsonValueKind.Object } head && head.TryGetProperty("alg", out _);
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private McpAuthException Unusable(string reason) => new(ErrorReason.InvalidValue, $"The assertion cannot be read from {Describe}: {reason}.",
        File is null ? "Set it to a JWT that the platform issued for this issuer." : "Let the platform write a JWT for this issuer to it.");
}
