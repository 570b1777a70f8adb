using System.Runtime.InteropServices;
using System.Text;

namespace McpSm.Core.Servers;

/// <summary>
/// Normalization Form C (UAX #15) if .NET cannot provide it: with invariant globalization, as in the native executable, <see
/// cref="string.Normalize()"/> returns the text unchanged.
/// </summary>
internal static partial class UnicodeNormalizer
{
    private const int FormC = 1;

    private const string GLib = "libglib-2.0.so.0";

    // Evaluated only for a text that is not ASCII, because the first call may load ICU.
    private static readonly Lazy<bool> IsInDotNet = new(() => "e\u0301".Normalize() == "\u00e9");

    /// <summary>
    /// Returns the normalized text. Returns the text unchanged if it is not valid Unicode, or if neither .NET nor the system can normalize it.
    /// </summary>
    public static string Compose(string text)
    {
        if (Ascii.IsValid(text) || text.Contains('\0') || !IsUnicode(text))
        {
            return text;
        }
        try
        {
            return IsInDotNet.Value ? text.Normalize() : OperatingSystem.IsWindows() ? ComposeOnWindows(text)
                : OperatingSystem.IsLinux() ? ComposeOnLinux(text) : text;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // A minimal container without GLib. Names with the same encoding still compare equal.
            return text;
        }
    }

    private static bool IsUnicode(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[++i])))
            {
                return false;
            }
        }
        return true;
    }

    private static string ComposeOnLinux(string text)
    {
        var composed = Normalize(text, -1, FormC);
        try
        {
            return Marshal.PtrToStringUTF8(composed) ?? text;
        }
        finally
        {
            Free(composed);
        }
    }

    private static string ComposeOnWindows(string text)
    {
        // In UTF-16, Form C has at most three times as many code units as the text.
        var composed = new char[text.Length * 3];
        var length = NormalizeString(FormC, text, text.Length, composed, composed.Length);
        return length > 0 ? new string(composed, 0, length) : text;
    }

    [LibraryImport(GLib, EntryPoint = "g_utf8_normalize", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Normalize(string text, nint length, int mode);

    [LibraryImport(GLib, EntryPoint = "g_free")]
    private static partial void Free(nint memory);

    [LibraryImport("Normaliz", StringMarshalling = StringMarshalling.Utf16)]
    private static partial int NormalizeString(int form, string text, int length, [Out] char[] composed, int size);
}
