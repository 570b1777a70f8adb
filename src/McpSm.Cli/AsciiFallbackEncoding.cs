using System.Text;

namespace McpSm.Cli;

/// <summary>Letters for our signs where a terminal's encoding does not have them.</summary>
internal sealed class AsciiFallbackEncoding : EncoderFallback
{
    public override int MaxCharCount => 3;

    /// <summary>An encoding that writes what it lacks plainly; UTF-8 lacks nothing.</summary>
    public static Encoding Of(Encoding encoding)
    {
        // .NET has Windows convert to a console's code page, and Windows knows no fallback of ours.
        var known = OperatingSystem.IsWindows() ? CodePagesEncodingProvider.Instance.GetEncoding(encoding.CodePage) ?? encoding : encoding;
        var plain = (Encoding)known.Clone();
        plain.EncoderFallback = new AsciiFallbackEncoding();
        return plain;
    }

    public override EncoderFallbackBuffer CreateFallbackBuffer() => new Buffer();

    private sealed class Buffer : EncoderFallbackBuffer
    {
        private string _text = "";
        private int _next;

        public override int Remaining => _text.Length - _next;

        public override bool Fallback(char charUnknown, int index)
        {
            (_text, _next) = (charUnknown switch { '✔' => "+", '✘' => "x", '○' => "o", '…' => "...", _ => "?" }, 0);
            return true;
        }

        public override bool Fallback(char charUnknownHigh, char charUnknownLow, int index) => Fallback('?', index);

        public override char GetNextChar() => _next < _text.Length ? _text[_next++] : '\0';

        public override bool MovePrevious()
        {
            if (_next == 0)
            {
                return false;
            }
            _next--;
            return true;
        }

        public override void Reset() => (_text, _next) = ("", 0);
    }
}
