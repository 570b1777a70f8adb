using McpSm.Clients.Editing;
using McpSm.Core.Errors;

namespace McpSm.Clients.Files;

/// <summary>Errors of configuration files of clients.</summary>
internal static class ClientFileError
{
    private const string Access = "Make the file and its folder readable and writable for you.";

    /// <summary>Runs a step, and turns the errors of texts and files into errors with the path and a remedy.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt, ConfigurationUnavailable.</exception>
    public static T Explain<T>(string path, Func<T> step)
    {
        try
        {
            return step();
        }
        catch (ConfigurationSyntaxException e)
        {
            throw new McpAuthException(ErrorReason.ConfigurationCorrupt, $"Cannot use '{path}': {e.Message} at line {e.Line}, column {e.Column}.",
                "Fix the file. It was not changed.");
        }
        catch (ConfigurationLayoutException e)
        {
            throw new McpAuthException(ErrorReason.ConfigurationCorrupt, $"Cannot edit '{path}': {e.Message} (line {e.Line}).",
                "Change that part of the file by hand. It was not changed.");
        }
        catch (McpAuthException e) when (e.Reason == ErrorReason.ConfigurationUnavailable && e.InnerException is IOException or UnauthorizedAccessException)
        {
            // The remedy of Core is about the configuration folder of Mcpsm.
            throw new McpAuthException(e.Reason, e.Message, Access, e.InnerException);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new McpAuthException(ErrorReason.ConfigurationUnavailable,
                $"Cannot use '{path}': {UntrustedText.Sanitize(e.Message).TrimEnd('.')}.", Access, e);
        }
    }

    public static McpAuthException ForeignLink(string path, string link) => new(ErrorReason.ConfigurationUnavailable,
        $"Cannot use '{path}': the link '{link}' belongs to another user.", "Replace the link with a file or folder of your own.");

    public static McpAuthException Loop(string path) => new(ErrorReason.ConfigurationUnavailable,
        $"Cannot use '{path}': it leads through too many links.", "Remove the loop of links.");

    public static McpAuthException Foreign(string path) => new(ErrorReason.ConfigurationUnavailable,
        $"Cannot edit '{path}': it belongs to another user.", "Run the command as that user.");

    public static McpAuthException ReadOnly(string path) => new(ErrorReason.ConfigurationUnavailable,
        $"Cannot edit '{path}': it is read-only.", "If the file is generated, change its source. If not, make it writable.");

    public static McpAuthException Busy(string path) => new(ErrorReason.ConfigurationUnavailable,
        $"Cannot edit '{path}': another program keeps changing it.", "Close the client, then run the command again.");
}
