using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace McpSm.Core.Discovery;

/// <summary>
/// A challenge of a <c>WWW-Authenticate</c> header (RFC 9110 section 11.6.1): a scheme with a token68 or with parameters. One header can have several
/// challenges. Commas inside quoted values do not separate them.
/// </summary>
internal sealed class Challenge
{
    private readonly IReadOnlyList<KeyValuePair<string, string>> _parameters;

    private Challenge(string scheme, string? token68, IReadOnlyList<KeyValuePair<string, string>> parameters)
    {
        Scheme = scheme;
        Token68 = token68;
        _parameters = parameters;
    }

    public string Scheme { get; }

    public string? Token68 { get; }

    public bool IsBearer => Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the challenge requires a token that is bound to a key (RFC 9449 section 7.1).</summary>
    public bool IsDPoP => Scheme.Equals("DPoP", StringComparison.OrdinalIgnoreCase);

    /// <summary>The required scopes (RFC 6750 section 3); null if the challenge does not name any.</summary>
    public IReadOnlyList<string>? Scopes =>
        this["scope"] is { } scope ? Discovery.Scopes.Split(scope) is { Count: > 0 } some ? some : null : null;

    /// <summary>The value of a parameter; the first value if the name is repeated. Names are not case-sensitive.</summary>
    public string? this[string name]
    {
        get
        {
            foreach (var (key, value) in _parameters)
            {
                if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
                {
                    return value;
                }
            }
            return null;
        }
    }

    /// <summary>
    /// Parses all challenges of a header value. Stops at the first malformed challenge and returns the ones before it, because some servers append
    /// text that no grammar allows.
    /// </summary>
    public static IReadOnlyList<Challenge> ParseAll(string? header)
    {
        var challenges = new List<Challenge>();
        var reader = new Reader(header ?? "");
        reader.SkipListSeparators();
        while (reader.TryReadChallenge(out var challenge))
        {
            challenges.Add(challenge);
            if (!reader.SkipListSeparators())
            {
                break;
            }
        }
        return challenges;
    }

    /// <summary>Returns the challenge in header syntax. Parsing the result gives the same challenge.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Scheme);
        if (Token68 is not null)
        {
            return text.Append(' ').Append(Token68).ToString();
        }
        var separator = " ";
        foreach (var (name, value) in _parameters)
        {
            text.Append(separator).Append(name).Append("=\"")
                .Append(value.Replace("\\", "\\\\").Replace("\"", "\\\"")).Append('"');
            separator = ", ";
        }
        return text.ToString();
    }

    private struct Reader(string text)
    {
        private int _position = 0;

        private readonly bool AtEnd => _position >= text.Length;

        private readonly char Current => text[_position];

        /// <summary>Skips spaces and commas. Returns false at the end, or if text other than a comma follows.</summary>
        public bool SkipListSeparators()
        {
            SkipSpaces();
            var comma = AtEnd;
            while (!AtEnd && Current == ',')
            {
                comma = true;
                _position++;
                SkipSpaces();
            }
            return comma && !AtEnd;
        }

        public bool TryReadChallenge([NotNullWhen(true)] out Challenge? challenge)
        {
            challenge = null;
            if (ReadToken() is not { } scheme)
            {
                return false;
            }
            var parameters = new List<KeyValuePair<string, string>>();
            if (!SkipSpaces() || AtEnd || Current == ',')
            {
                // A scheme without parameters. The caller stops if other text follows directly.
                challenge = new Challenge(scheme, null, parameters);
                return true;
            }
            if (TryReadToken68(out var token68))
            {
                challenge = new Challenge(scheme, token68, parameters);
                return true;
            }
            while (TryReadParameter(out var parameter))
            {
                parameters.Add(parameter);
                var start = _position;
                SkipListSeparators();
                // In "a=1, Basic" the word after the comma is the scheme of the next challenge. Parameters without a comma between them ("a=1 b=2")
                // violate the grammar, but some servers send them.
                if (!LooksLikeParameter())
                {
                    _position = start;
                    break;
                }
            }
            challenge = new Challenge(scheme, null, parameters);
            return true;
        }

        private readonly bool LooksLikeParameter()
        {
            var ahead = this;
            return ahead.ReadToken() is not null && ahead.SkipToEquals();
        }

        private bool SkipToEquals()
        {
            SkipSpaces();
            return !AtEnd && Current == '=';
        }

        private bool TryReadParameter(out KeyValuePair<string, string> parameter)
        {
            parameter = default;
            var start = _position;
            if (ReadToken() is { } name && SkipToEquals())
            {
                _position++;
                SkipSpaces();
                var value = !AtEnd && Current == '"' ? ReadQuoted() : ReadUnquoted();
                if (value is not null)
                {
                    parameter = new(name, value);
                    return true;
                }
            }
            _position = start;
            return false;
        }

        private bool TryReadToken68([NotNullWhen(true)] out string? token68)
        {
            token68 = null;
            var end = _position;
            while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || "-._~+/".Contains(text[end])))
            {
                end++;
            }
            var letters = end > _position;
            while (end < text.Length && text[end] == '=')
            {
                end++;
            }
            // "realm=x" and "scope" start like a token68. It is a token68 only if the challenge ends after it.
            var next = end;
            while (next < text.Length && text[next] is ' ' or '\t')
            {
                next++;
            }
            if (!letters || (next < text.Length && text[next] != ','))
            {
                return false;
            }
            token68 = text[_position..end];
            _position = end;
            return true;
        }

        private string? ReadToken()
        {
            var start = _position;
            while (!AtEnd && (char.IsAsciiLetterOrDigit(Current) || "!#$%&'*+-.^_`|~".Contains(Current)))
            {
                _position++;
            }
            return _position > start ? text[start.._position] : null;
        }

        /// <summary>Reads a value without quotes. Accepts more characters than a token, because some servers send URLs without quotes.</summary>
        private string? ReadUnquoted()
        {
            var start = _position;
            while (!AtEnd && Current is not (' ' or '\t' or ','))
            {
                _position++;
            }
            return _position > start ? text[start.._position] : null;
        }

        private string? ReadQuoted()
        {
            var value = new StringBuilder();
            for (var i = _position + 1; i < text.Length; i++)
            {
                switch (text[i])
                {
                    case '"':
                        _position = i + 1;
                        return value.ToString();
                    case '\\' when i + 1 < text.Length:
                        value.Append(text[++i]);
                        break;
                    default:
                        value.Append(text[i]);
                        break;
                }
            }
            return null;
        }

        private bool SkipSpaces()
        {
            var start = _position;
            while (!AtEnd && Current is ' ' or '\t')
            {
                _position++;
            }
            return _position > start;
        }
    }
}
