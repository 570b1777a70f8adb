using System.Globalization;

namespace McpSm.Bench;

/// <summary>The command line options.</summary>
/// <param name="Runs">The number of runs of each program.</param>
/// <param name="Only">A word that the name of a row must contain; null for all rows.</param>
internal sealed record Options(int Runs = 15, bool Json = false, string? Only = null)
{
    public const string Usage = """
        Measures mcpsm and the module, as whole processes, against npm tools and the floors of the runtimes.

          dotnet run -c Release --project bench -- [--runs N] [--only <word>] [--json]

        --runs   how often each program runs, in turn with those it is measured against (15)
        --only   only the rows whose work has this word in it, such as status, login, paths
        --json   one JSON document on standard output, times in milliseconds, memory in bytes
        """;

    public static Options? Parse(string[] args)
    {
        var options = new Options();
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--json":
                    options = options with { Json = true };
                    break;
                case "--only" when i + 1 < args.Length:
                    options = options with { Only = args[++i] };
                    break;
                case "--runs" when i + 1 < args.Length
                    && int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var runs) && runs > 0:
                    options = options with { Runs = runs };
                    i++;
                    break;
                default:
                    return null;
            }
        }
        return options;
    }
}
