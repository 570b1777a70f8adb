using System.CommandLine;
using System.Globalization;

namespace McpSm.Commands.CommandLine;

/// <summary>Options whose value is a whole number in a range.</summary>
internal static class NumberOption
{
    private const int SecondsPerDay = 24 * 60 * 60;

    public static Option<int?> Port(string name, string description) =>
        InRange(new Option<int?>(name) { Description = description, HelpName = "port" }, 0, ushort.MaxValue);

    /// <summary>A time limit in seconds, at most a day.</summary>
    public static Option<int?> Timeout(string description) => Seconds("--timeout", description);

    /// <summary>A time in seconds, at most a day.</summary>
    public static Option<int?> Seconds(string name, string description) =>
        InRange(new Option<int?>(name) { Description = description, HelpName = "seconds" }, 1, SecondsPerDay);

    /// <summary>A time limit in seconds, at most a day; 0 for no limit.</summary>
    public static Option<int?> TimeLimit(string name, string description) =>
        InRange(new Option<int?>(name) { Description = description, HelpName = "s" }, 0, SecondsPerDay);

    /// <summary>How many servers to work on at the same time.</summary>
    public static Option<int> ThrottleLimit(int defaultLimit) => InRange(new Option<int>("--throttle-limit")
    {
        Description = "How many servers at a time",
        HelpName = "n",
        DefaultValueFactory = _ => defaultLimit,
    }, 1, 1024);

    private static Option<T> InRange<T>(Option<T> option, int min, int max)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max))
            {
                // Not shown: UsageError writes the message for every option.
                result.AddError("range");
            }
        });
        return option;
    }
}
