using System.Management.Automation;
using System.Runtime.Serialization;

namespace McpSm.PowerShell.Pipeline;

/// <summary>
/// A line of standard error, as an error record like those that PowerShell makes for a native command: hosts show it as plain text.
/// Hosts recognize it by its exact <c>FullyQualifiedErrorId</c>. PowerShell appends the name of the cmdlet that writes a record to that id,
/// but not if the record was deserialized, so this class deserializes itself.
/// </summary>
internal sealed class StandardErrorLine : ErrorRecord
{
    private const string First = "NativeCommandError";
    private const string Later = "NativeCommandErrorMessage";

    private StandardErrorLine(SerializationInfo info, string text) : base(info, default) => Text = text;

    /// <summary>The line without changes.</summary>
    public string Text { get; }

    public override string ToString() => Text;

    /// <summary>Returns the record of one line.</summary>
    /// <param name="line">The line without its line break.</param>
    /// <param name="isFirst">Whether this is the first line of the command. Its id differs from those of later lines, as with a native command.</param>
    public static ErrorRecord Create(string line, bool isFirst) =>
        // PowerShell shows the category of a record whose exception has no message.
        Deserialize(
            new ErrorRecord(new RemoteException(line.Length == 0 ? " " : line), isFirst ? First : Later, ErrorCategory.NotSpecified, isFirst ? line : null),
            line);

    /// <summary>Returns the error that <c>$PSNativeCommandUseErrorActionPreference</c> requests for an exit code other than 0.</summary>
    public static ErrorRecord ForExitCode(int code)
    {
        var text = $"Program \"mcpsm\" ended with non-zero exit code: {code} (0x{code:X2}).";
        return Deserialize(new ErrorRecord(new RuntimeException(text), "ProgramExitedWithNonZeroCode", ErrorCategory.NotSpecified, "mcpsm"), text);
    }

    private static StandardErrorLine Deserialize(ErrorRecord record, string text)
    {
#pragma warning disable SYSLIB0050 // Formatter-based serialization is obsolete, but there is no other way to create such a record.
        var info = new SerializationInfo(typeof(ErrorRecord), new FormatterConverter());
#pragma warning restore SYSLIB0050
        record.GetObjectData(info, default);
        return new StandardErrorLine(info, text);
    }
}
