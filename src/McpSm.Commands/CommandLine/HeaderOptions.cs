using System.CommandLine;
using McpSm.Core.Errors;

namespace McpSm.Commands.CommandLine;

/// <summary><c>--header</c> and <c>--header-from-env</c>: the secret headers of a server.</summary>
internal sealed class HeaderOptions
{
    private const string StandardInput = "-";

    private readonly Option<string[]> _headers = new("--header") { Description = "Header for the vault; - reads its value", HelpName = "name=value" };
    private readonly Option<string[]> _variables = new("--header-from-env") { Description = "Header whose value is in a variable", HelpName = "name=NAME" };

    private readonly Option<string[]> _files = new("--header-file") { Description = "File with a header a line, for the vault", HelpName = "path" };

    public IReadOnlyList<Option> All => [_headers, _variables, _files];

    /// <summary>Returns the headers, or null if the user gave none.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="context">The console and the environment.</param>
    /// <param name="isInputUsed">Whether another option already reads standard input.</param>
    /// <param name="cancellationToken">Cancels reading.</param>
    /// <exception cref="McpAuthException">InvalidValue; InteractionRequired: standard input is empty.</exception>
    public async Task<IReadOnlyDictionary<string, string>?> ReadAsync(
        ParseResult parsed, CommandContext context, bool isInputUsed, CancellationToken cancellationToken)
    {
        var given = (parsed.GetValue(_headers) ?? []).Select(h => Split(h, "A --header must be name=value.")).ToList();
        var variables = (parsed.GetValue(_variables) ?? []).Select(h => Split(h, "A --header-from-env must be name=VARIABLE.")).ToList();
        var fromFiles = (parsed.GetValue(_files) ?? []).SelectMany(path => HeaderLine.ReadFile(path, cancellationToken)).ToList();
        if (given.Count == 0 && variables.Count == 0 && fromFiles.Count == 0)
        {
            return null;
        }
        var fromInput = given.Where(h => h.Value == StandardInput).ToList();
        if (fromInput.Count > 1)
        {
            throw Invalid("Only one header can be read from standard input.", "Give the other headers with --header-from-env.");
        }
        if (fromInput.Count == 1 && isInputUsed)
        {
            throw Invalid("Standard input can provide only one secret: the token or a header.", "Give the header with --header-from-env.");
        }
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in fromFiles.Concat(given))
        {
            headers[name] = value;
        }
        foreach (var (name, variable) in variables)
        {
            var value = context.AppEnvironment.SecretVariable(variable)
                ?? throw Invalid("A variable that --header-from-env names is not set.", "Set the variable, or omit the option.");
            if (!headers.TryAdd(name, value))
            {
                throw Invalid("The same header is given twice.", "Give each header once.");
            }
        }
        if (fromInput is [var (header, _)])
        {
            headers[header] = await SecretInput.ReadAsync(context, $"Value of the header {header}: ", "value of the header", cancellationToken)
                .ConfigureAwait(false);
        }
        return headers;
    }

    private static (string Name, string Value) Split(string header, string error)
    {
        return HeaderLine.Split(header) ?? throw Invalid(error, "Put the name of the header before the first '='.");
    }

    // Messages do not repeat the arguments, which may be secrets.
    private static McpAuthException Invalid(string message, string remedy) => new(ErrorReason.InvalidValue, message, remedy);
}
