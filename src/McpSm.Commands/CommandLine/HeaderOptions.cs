using System.CommandLine;
using McpSm.Core.Errors;

namespace McpSm.Commands.CommandLine;

/// <summary><c>--header</c> and <c>--header-from-env</c>: headers of a server, with forms that keep a secret off the command line.</summary>
internal sealed class HeaderOptions
{
    private const string Input = "-";

    private readonly Option<string[]> _headers = new("--header") { Description = "A header, kept in the vault; - reads it", HelpName = "name=value" };
    private readonly Option<string[]> _variables = new("--header-from-env") { Description = "The same, its value in a variable", HelpName = "name=NAME" };

    public IReadOnlyList<Option> All => [_headers, _variables];

    /// <param name="inputIsTaken">Standard input is read for the token.</param>
    /// <returns>Null if no header is given.</returns>
    /// <exception cref="McpAuthException">InvalidValue; InteractionRequired: standard input holds no value.</exception>
    public async Task<IReadOnlyDictionary<string, string>?> ReadAsync(ParseResult parsed, CommandContext context, bool inputIsTaken, CancellationToken cancellationToken)
    {
        var given = (parsed.GetValue(_headers) ?? []).Select(h => Split(h, "A --header must be name=value.")).ToList();
        var variables = (parsed.GetValue(_variables) ?? []).Select(h => Split(h, "A --header-from-env must be name=VARIABLE.")).ToList();
        if (given.Count == 0 && variables.Count == 0)
        {
            return null;
        }
        var read = given.Where(h => h.Value == Input).ToList();
        if (read.Count > 1)
        {
            throw Invalid("Standard input holds the value of one header.", "Give the others with --header-from-env.");
        }
        if (read.Count == 1 && inputIsTaken)
        {
            throw Invalid("Standard input holds one secret: the token, or the value of a header.", "Give the header with --header-from-env.");
        }
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in given)
        {
            headers[name] = value;
        }
        foreach (var (name, variable) in variables)
        {
            var value = context.AppEnvironment.SecretVariable(variable) ?? throw Invalid("A variable that --header-from-env names is not set.", "Set it, or leave the option out.");
            if (!headers.TryAdd(name, value))
            {
                throw Invalid("A header is given twice.", "Give each header once.");
            }
        }
        if (read is [var (asked, _)])
        {
            headers[asked] = await SecretInput.ReadAsync(context, $"Value of the header {asked}: ", "value of the header", cancellationToken).ConfigureAwait(false);
        }
        return headers;
    }

    private static (string Name, string Value) Split(string header, string wrong) => header.IndexOf('=') is > 0 and var at
        ? (header[..at].Trim(), header[(at + 1)..]) : throw Invalid(wrong, "Put the name of the header in front of the first '='.");

    // Nothing that was given is repeated: it may be the secret.
    private static McpAuthException Invalid(string what, string remedy) => new(ErrorReason.InvalidValue, what, remedy);
}
