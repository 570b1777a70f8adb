using System.Text;

namespace McpSm.Cli;

/// <summary>Writes ASCII in place of ✔, ✘, ○ and … if the encoding of the terminal lacks them.</summary>
internal sealed class AsciiFallbackEncoding : EncoderFallback
{
    public override int MaxCharCount => 3;

    /// <summary>Returns a copy of an encoding with this fallback.</summary>
    public static Encoding AddTo(Encoding encoding)
    {
        // On Windows, Console's encoding calls the system, which ignores fallbacks. This provider converts in managed code.
        var managed = OperatingSystem.IsWindows() ? CodePagesEncodingProvider.Instance.GetEncoding(encoding.CodePage) ?? encoding : encoding;
        var copy = (Encoding)managed.Clone();
        copy.EncoderFallback = new AsciiFallbackEncoding();
        return copy;
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
