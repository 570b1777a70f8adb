using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace McpSm.Core.Discovery;

/// <summary>
/// One challenge of a <c>WWW-Authenticate</c> answer (RFC 9110 section 11.6.1): a scheme with a token68 or with
/// parameters. Several may stand in one header, and commas inside quoted values part nothing.
/// </summary>
public sealed class Challenge
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

    /// <summary>It asks for a token that is bound to a key (RFC 9449 section 7.1).</summary>
    public bool IsDPoP => Scheme.Equals("DPoP", StringComparison.OrdinalIgnoreCase);

    /// <summary>The scopes it asks for (RFC 6750 section 3); null where it names none.</summary>
    public IReadOnlyList<string>? Scopes =>
        this["scope"] is { } scope ? Discovery.Scopes.Split(scope) is { Count: > 0 } some ? some : null : null;

    /// <summary>The value of a parameter, whose name has no case; the first where a name is repeated.</summary>
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
    /// Reads all challenges of a header value. What is malformed ends the reading; the challenges before it
    /// count, since servers in the field append what no grammar knows.
    /// </summary>
    public static IReadOnlyList<Challenge> ParseAll(string? header)
    {
        var found = new List<Challenge>();
        var reader = new Reader(header ?? "");
        reader.SkipListSeparators();
        while (reader.TryReadChallenge(out var challenge))
        {
            found.Add(challenge);
            if (!reader.SkipListSeparators())
            {
                break;
            }
        }
        return found;
    }

    /// <summary>The challenge as it would be sent; parsing it gives the same challenge.</summary>
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
        private int _at = 0;

        private readonly bool AtEnd => _at >= text.Length;

        private readonly char Current => text[_at];

        /// <summary>Skips spaces and commas; false where something else than a comma or the end follows.</summary>
        public bool SkipListSeparators()
        {
            SkipSpaces();
            var comma = AtEnd;
            while (!AtEnd && Current == ',')
            {
                comma = true;
                _at++;
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
                // A scheme alone; anything glued to it ends the list in the caller.
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
                var before = _at;
                SkipListSeparators();
                // "a=1, Basic": what follows the comma may be the next challenge's scheme. A parameter without a
                // comma before it ("a=1 b=2") is no grammar's, but servers send it.
                if (!LooksLikeParameter())
                {
                    _at = before;
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
            var before = _at;
            if (ReadToken() is { } name && SkipToEquals())
            {
                _at++;
                SkipSpaces();
                var value = !AtEnd && Current == '"' ? ReadQuoted() : ReadUnquoted();
                if (value is not null)
                {
                    parameter = new(name, value);
                    return true;
                }
            }
            _at = before;
            return false;
        }

        private bool TryReadToken68([NotNullWhen(true)] out string? token68)
        {
            token68 = null;
            var end = _at;
            while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || "-._~+/".Contains(text[end])))
            {
                end++;
            }
            var letters = end > _at;
            while (end < text.Length && text[end] == '=')
            {
                end++;
            }
            // "realm=x" and "scope" start like a token68: only one that ends the challenge is one.
            var next = end;
            while (next < text.Length && text[next] is ' ' or '\t')
            {
                next++;
            }
            if (!letters || (next < text.Length && text[next] != ','))
            {
                return false;
            }
            token68 = text[_at..end];
            _at = end;
            return true;
        }

        private string? ReadToken()
        {
            var start = _at;
            while (!AtEnd && (char.IsAsciiLetterOrDigit(Current) || "!#$%&'*+-.^_`|~".Contains(Current)))
            {
                _at++;
            }
            return _at > start ? text[start.._at] : null;
        }

        /// <summary>A value without quotes. More than a token may have: servers leave them out of URLs too.</summary>
        private string? ReadUnquoted()
        {
            var start = _at;
            while (!AtEnd && Current is not (' ' or '\t' or ','))
            {
                _at++;
            }
            return _at > start ? text[start.._at] : null;
        }

        private string? ReadQuoted()
        {
            var value = new StringBuilder();
            for (var i = _at + 1; i < text.Length; i++)
            {
                switch (text[i])
                {
                    case '"':
                        _at = i + 1;
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
            var start = _at;
            while (!AtEnd && Current is ' ' or '\t')
            {
                _at++;
            }
            return _at > start;
        }
    }
}
