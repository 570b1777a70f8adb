using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;
using McpSm.Core.Processes;

namespace McpSm.Core.Grants;

/// <summary>
/// Where the platform that a workload runs on puts its assertion (RFC 7523): a file, as Kubernetes does, or a variable. The
/// place is what is kept; the assertion is short-lived and replaced all the time, so it is read anew at each use (rule 36 of docs/rules.md).
/// </summary>
public sealed record WorkloadAssertionSource
{
    // Kubernetes and GitHub make them of 1 to 2 KiB.
    private const int MaxAssertionBytes = 64 * 1024;

    /// <summary>An absolute path.</summary>
    [JsonInclude]
    [JsonPropertyName("file")]
    internal string? File { get; init; }

    /// <summary>The name of an environment variable.</summary>
    [JsonInclude]
    [JsonPropertyName("variable")]
    internal string? Variable { get; init; }

    /// <summary>One spelling of the place.</summary>
    [JsonIgnore]
    internal string Location => File is null ? "env:" + Variable : "file:" + File;

    /// <summary>The option of a sign-in that names the place.</summary>
    [JsonIgnore]
    internal StepOption Option => File is null ? new(StepOptionKind.AssertionVariable, Variable!) : new(StepOptionKind.AssertionFile, File);

    private string Describe => File is null ? $"the variable {UntrustedText.Sanitize(Variable)}"
        : UserFile.Name(File) is { } name ? $"the file {name}" : "the file of that name";

    /// <summary>A file that need not be there yet. A relative path counts from the current folder, now and for good.</summary>
    /// <exception cref="McpAuthException">InvalidValue: that is no path.</exception>
    public static WorkloadAssertionSource FromFile(string path)
    {
        try
        {
            return new WorkloadAssertionSource { File = Path.GetFullPath(path) };
        }
        catch (ArgumentException)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "The file of the assertion needs a path.");
        }
    }

    /// <summary>A variable that need not be set yet.</summary>
    /// <exception cref="McpAuthException">
    /// InvalidValue: that is no name. It is not repeated, since it may be the assertion itself.
    /// </exception>
    public static WorkloadAssertionSource FromVariable(string name)
    {
        if (name.Length is 0 or > 255 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') || char.IsAsciiDigit(name[0]))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "The variable of the assertion needs a name: letters, digits and underscores.");
        }
        SecretEnvironmentVariables.Add(name);
        return new WorkloadAssertionSource { Variable = name };
    }

    /// <summary>The assertion as it is now, without the space around it.</summary>
    /// <exception cref="McpAuthException">InvalidValue: there is none, or it is no signed JWT. It is never shown.</exception>
    internal string Read(AppEnvironment environment, CancellationToken cancellationToken = default)
    {
        var text = (File is null ? environment.SecretVariable(Variable!) ?? throw Unusable("it is not set")
            : Encoding.Latin1.GetString(UserFile.Read(File, MaxAssertionBytes, Unusable, cancellationToken))).Trim();
        return text.Length == 0 ? throw Unusable("it is empty")
            : text.Length > MaxAssertionBytes ? throw Unusable("it is larger than 64 KiB")
            : IsSigned(text) ? text : throw Unusable("what it holds is no signed JWT");
    }

    /// <summary>Without what is in it: nobody prints that by accident.</summary>
    public override string ToString() => Location;

    /// <summary>
    /// Whether it has the form of a JWS (RFC 7515 section 3.1): what lies in the wrong file, a key perhaps, goes to no issuer.
    /// </summary>
    private static bool IsSigned(string text)
    {
        // By hand: the library takes padding and space as well, which a JWS has none of.
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

    private McpAuthException Unusable(string why) => new(ErrorReason.InvalidValue, $"The assertion cannot be had from {Describe}: {why}.",
        File is null ? "Set it to a JWT that the platform gives for this issuer." : "Let the platform put a JWT for this issuer there.");
}
