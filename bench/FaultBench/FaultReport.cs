using System.Diagnostics;

namespace McpSm.FaultBench;

/// <summary>Prints the table with one row for each check.</summary>
internal sealed class FaultReport
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private int _passed;
    private int _failed;
    private int _skipped;

    /// <param name="wrong">The failures, each in a few words without a secret; empty if the check passed.</param>
    public void Row(string check, string counted, IReadOnlyCollection<string> wrong)
    {
        _ = wrong.Count == 0 ? _passed++ : _failed++;
        Console.WriteLine($"{(wrong.Count == 0 ? "pass" : "FAIL")}  {check,-58}  {counted}");
        foreach (var some in wrong.GroupBy(w => w).OrderByDescending(g => g.Count()).Take(8))
        {
            Console.WriteLine($"      {some.Count()} × {some.Key}");
        }
    }

    public void Skip(string check, string why)
    {
        // MCPSM_TEST_REQUIRE=1 makes a missing tool a failure.
        if (Environment.GetEnvironmentVariable("MCPSM_TEST_REQUIRE") == "1")
        {
            Row(check, why, [why]);
            return;
        }
        _skipped++;
        Console.WriteLine($"skip  {check,-58}  {why}");
    }

    public int Close()
    {
        Console.WriteLine($"{Stopwatch.GetElapsedTime(_started).TotalSeconds:0} s");
        Console.WriteLine($"{_passed} passed, {_failed} failed, {_skipped} skipped");
        return _failed == 0 ? 0 : 1;
    }
}
