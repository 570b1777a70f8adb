using System.Management.Automation;
using System.Runtime.Serialization;

namespace McpSm.PowerShell.Pipeline;

/// <summary>
/// A line of standard error as PowerShell hands it on from a native command: an error record that hosts show as plain text.
/// They know it by its whole <c>FullyQualifiedErrorId</c>, to which PowerShell adds the name of the cmdlet that writes a record;
/// not to a record that was serialized, so this one is.
/// </summary>
internal sealed class StandardErrorLine : ErrorRecord
{
    private const string First = "NativeCommandError";
    private const string Later = "NativeCommandErrorMessage";

    private static readonly StreamingContext Context = new();

    private StandardErrorLine(SerializationInfo serialized, string text) : base(serialized, Context) => Text = text;

    /// <summary>The line as it was written.</summary>
    public string Text { get; }

    public override string ToString() => Text;

    /// <param name="isFirst">Whether the command wrote no line before; the ids differ, as a native command's do.</param>
    public static ErrorRecord Create(string line, bool isFirst) =>
        // An exception without a message would be shown as the category instead.
        Serialized(new ErrorRecord(new RemoteException(line.Length == 0 ? " " : line), isFirst ? First : Later, ErrorCategory.NotSpecified, isFirst ? line : null), line);

    /// <summary>The error that <c>$PSNativeCommandUseErrorActionPreference</c> asks for, as a native command's.</summary>
    public static ErrorRecord OfExitCode(int code)
    {
        var text = $"Program \"mcpsm\" ended with non-zero exit code: {code} (0x{code:X2}).";
        return Serialized(new ErrorRecord(new RuntimeException(text), "ProgramExitedWithNonZeroCode", ErrorCategory.NotSpecified, "mcpsm"), text);
    }

    private static StandardErrorLine Serialized(ErrorRecord record, string text)
    {
#pragma warning disable SYSLIB0050 // Formatter-based serialization is obsolete, and is the only way to such a record.
        var serialized = new SerializationInfo(typeof(ErrorRecord), new FormatterConverter());
#pragma warning restore SYSLIB0050
        record.GetObjectData(serialized, Context);
        return new StandardErrorLine(serialized, text);
    }
}
