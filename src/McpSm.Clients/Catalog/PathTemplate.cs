using System.Text;

namespace McpSm.Clients.Catalog;

/// <summary>
/// A path in <c>clients.json</c>. A leading <c>~</c> is the home folder, and <c>{NAME|fallback}</c> is an environment variable or, if it is
/// not set, another template. Folders are separated by slashes.
/// </summary>
internal static class PathTemplate
{
    /// <summary>Returns the path on a system.</summary>
    /// <exception cref="FormatException">The template has an open brace without its end, or a variable without a fallback.</exception>
    public static string Expand(string template, ClientEnvironment environment)
    {
        var path = new StringBuilder();
        for (var i = 0; i < template.Length;)
        {
            switch (template[i])
            {
                case '{':
                    var end = FindEnd(template, i);
                    path.Append(ExpandVariable(template[(i + 1)..end], environment));
                    i = end + 1;
                    break;
                case '~' when i == 0:
                    path.Append(environment.Home);
                    i++;
                    break;
                default:
                    path.Append(template[i] == '/' ? environment.Separator : template[i]);
                    i++;
                    break;
            }
        }
        return path.ToString();
    }

    private static string ExpandVariable(string variable, ClientEnvironment environment)
    {
        var bar = variable.IndexOf('|', StringComparison.Ordinal);
        if (bar <= 0)
        {
            throw new FormatException($"The variable '{variable}' of a path has no fallback.");
        }
        return environment.GetVariable(variable[..bar]) is { Length: > 0 } value
            ? value.TrimEnd('/', environment.Separator)
            : Expand(variable[(bar + 1)..], environment);
    }

    private static int FindEnd(string template, int start)
    {
        var depth = 0;
        for (var i = start; i < template.Length; i++)
        {
            depth += template[i] switch { '{' => 1, '}' => -1, _ => 0 };
            if (depth == 0)
            {
                return i;
            }
        }
        throw new FormatException($"The path '{template}' has an open brace without its end.");
    }
}
