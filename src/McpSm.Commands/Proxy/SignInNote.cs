using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Commands.Proxy;

/// <summary>
/// The note that a relay opened a browser to sign in to a server. It forbids all relays another browser for a while. It contains no secret.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="time">The clock.</param>
internal sealed class SignInNote(string path, TimeProvider time)
{
    /// <summary>As long as the sign-in waits for the person.</summary>
    private static readonly TimeSpan Validity = TimeSpan.FromMinutes(5);

    /// <summary>Whether a browser was opened a short time ago.</summary>
    public bool IsRecent => Read() is not null;

    /// <summary>Whether that sign-in has ended.</summary>
    public bool HasEnded => Read() is { HasEnded: true };

    /// <summary>Notes that a browser is about to be opened.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable.</exception>
    public void Begin() => Write(false);

    /// <summary>Notes that the sign-in has ended.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable.</exception>
    public void End() => Write(true);

    private void Write(bool hasEnded) => JsonFile.Write(path, new JsonObject
    {
        ["openedAt"] = time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture),
        ["ended"] = hasEnded,
    });

    /// <returns>Null if there is no note, or if it is old.</returns>
    private (DateTimeOffset OpenedAt, bool HasEnded)? Read()
    {
        try
        {
            using var document = JsonFile.Open(path);
            if (document is null || !document.RootElement.TryGetProperty("openedAt", out var at) || at.ValueKind != JsonValueKind.String
                || !at.TryGetDateTimeOffset(out var openedAt) || (time.GetUtcNow() - openedAt).Duration() >= Validity)
            {
                return null;
            }
            return (openedAt, document.RootElement.TryGetProperty("ended", out var ended) && ended.ValueKind == JsonValueKind.True);
        }
        catch (McpAuthException)
        {
            // A damaged note says nothing. The next one replaces it.
            return null;
        }
    }
}
